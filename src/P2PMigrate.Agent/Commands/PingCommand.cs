using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate ping TICKET</c>: how a migration would travel. Does not spend the ticket.</summary>
internal sealed class PingCommand : AgentCommand
{
    /// <summary>How long a direct path may take before the relay is called the answer.</summary>
    private static readonly TimeSpan s_directPatience = TimeSpan.FromSeconds(5);

    private readonly Argument<string> _ticket = new("TICKET") { Description = "The ticket that `p2pmigrate receive` printed." };
    private readonly Option<string?> _listen = PeerAddressing.ListenOption();

    public PingCommand()
        : base("ping", "Reaches a peer and says how: direct or over the relay, and how quickly. Does not spend the ticket.")
    {
        Arguments.Add(_ticket);
        Options.Add(_listen);
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using PeerConnection peer = await PeerConnection.OpenAsync(
            context, rendezvous: null, context.Parsed.GetValue(_listen), cancellationToken).ConfigureAwait(false);
        await using TunnelSession session = await peer.DialAsync(context.Parsed.GetValue(_ticket)!, cancellationToken).ConfigureAwait(false);
        PathSummary path = await BestPathAsync(session, cancellationToken).ConfigureAwait(false);
        SessionTimings timings = session.Timings;
        context.Output.Show(new PingCompleted(
            MigrationView.Word(path.Kind), path.Remote, Rounded(path.RoundTrip),
            Rounded(timings.ToFirstByte ?? timings.ToEstablished), timings.ToDirect is { } direct ? Rounded(direct) : null));
        return ExitCode.Done;
    }

    /// <summary>The direct path when it comes in time, else whatever carries data then.</summary>
    private static async Task<PathSummary> BestPathAsync(TunnelSession session, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_directPatience);
        PathSummary? last = null;
        try
        {
            await foreach (PathSummary path in session.WatchPathAsync(patience.Token).ConfigureAwait(false))
            {
                last = path;
                if (path.Kind == PathKind.Direct)
                    return session.PrimaryPath ?? path;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The relay it is.
        }
        if (session.Completion.IsCompleted)
        {
            SessionEnd end = await session.Completion.ConfigureAwait(false);
            throw new TunnelException(TunnelFailure.Closed, $"The peer ended the session: {end.Reason}");
        }
        return session.PrimaryPath ?? last ?? throw new TunnelException(
            TunnelFailure.PeerUnreachable, "The peer answered, but no path carried data; is UDP filtered on the way?");
    }

    private static double Rounded(TimeSpan time) => Math.Round(time.TotalMilliseconds, 2);
}
