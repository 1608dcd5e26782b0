using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate ping TICKET</c>: how a migration would travel. Does not spend the ticket.</summary>
internal sealed class PingCommand : AgentCommand
{
    private readonly Argument<string> _ticket = new("TICKET") { Description = "The ticket that `p2pmigrate receive` printed." };
    private readonly Option<string?> _listen = PeerAddressing.ListenOption();

    public PingCommand()
        : base("ping", "Reaches a peer and says how: direct or over the relay, and how quickly. Does not spend the ticket.")
    {
        Arguments.Add(_ticket);
        Options.Add(_listen);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using PeerConnection peer = await PeerConnection.OpenAsync(
            context, rendezvous: null, context.Parsed.GetValue(_listen), cancellationToken).ConfigureAwait(false);
        await using TunnelSession session = await peer.DialAsync(context.Parsed.GetValue(_ticket)!, cancellationToken).ConfigureAwait(false);
        PathSummary path = await BestPath.OfAsync(session, cancellationToken).ConfigureAwait(false);
        SessionTimings timings = session.Timings;
        context.Output.Show(new PingCompleted(
            MigrationView.Word(path.Kind), path.Remote, Rounded(path.RoundTrip),
            Rounded(timings.ToFirstByte ?? timings.ToEstablished), timings.ToDirect is { } direct ? Rounded(direct) : null));
        return ExitCode.Done;
    }

    private static double Rounded(TimeSpan time) => Math.Round(time.TotalMilliseconds, 2);
}
