using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Speed;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate speedtest TICKET</c>: how fast the tunnel to a receiving peer is. Does not spend the ticket.</summary>
internal sealed class SpeedtestCommand : AgentCommand
{
    private readonly Argument<string> _ticket = new("TICKET") { Description = "The ticket that `p2pmigrate receive` printed." };
    private readonly Option<string?> _listen = PeerAddressing.ListenOption();
    private readonly Option<double> _seconds = new("--seconds") { Description = "How long to send.", HelpName = "N", DefaultValueFactory = _ => 10 };
    private readonly Option<double> _skip = new("--skip") { Description = "Seconds of the beginning that are not measured.", HelpName = "N" };
    private readonly Option<int> _streams = new("--streams") { Description = "How many streams at a time.", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _rate = new("--rate") { Description = "Send no more than that; as much as possible by default.", HelpName = "MBIT" };
    private readonly Option<bool> _reverse = new("--reverse") { Description = "The other side sends, this one receives." };
    private readonly Option<string?> _cipher = new("--cipher")
    {
        Description = "aegis-128l, aes-256-gcm or chacha20-poly1305; the best of both sides by default.",
        HelpName = "NAME",
    };

    private readonly Option<CongestionControl> _congestion = new("--congestion") { Description = "How this side finds its rate: bbr or cubic.", DefaultValueFactory = _ => CongestionControl.Bbr };

    public SpeedtestCommand()
        : base("speedtest", "Sends data through the tunnel to a peer and says how fast that was. Does not spend the ticket.")
    {
        Arguments.Add(_ticket);
        foreach (Option option in (Option[])[_seconds, _skip, _streams, _rate, _reverse, _cipher, _congestion, _listen, PeerAddressing.NoPortMapping, PeerAddressing.NoPunching, PeerAddressing.Turn])
            Options.Add(option);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        SpeedRequest request = Request(context);
        CongestionControl congestion = context.Parsed.GetValue(_congestion);
        IReadOnlyList<ProtectionSuite>? suites = CipherNames.Parse(context.Parsed.GetValue(_cipher));
        await using PeerConnection peer = await PeerConnection.OpenAsync(
            context, rendezvous: null, context.Parsed.GetValue(_listen),
            options => options with { Suites = suites ?? options.Suites, Recovery = new RecoveryOptions { DirectPaths = congestion, RelayedPaths = congestion } }, cancellationToken).ConfigureAwait(false);
        await using TunnelSession session = await peer.DialAsync(context.Parsed.GetValue(_ticket)!, cancellationToken).ConfigureAwait(false);
        PathSummary path = await BestPath.OfAsync(session, cancellationToken).ConfigureAwait(false);
        SpeedResult result = await SpeedTest.RunAsync(session, request, cancellationToken).ConfigureAwait(false);
        path = session.PrimaryPath ?? path;
        context.Output.Show(new SpeedCompleted(
            Math.Round(result.MegabitsPerSecond, 3), MigrationView.Word(path.Kind), Math.Round(result.CpuSecondsPerGigabyte, 3),
            Math.Round(path.RoundTrip.TotalMilliseconds, 2), Math.Round(result.Count.Time.TotalSeconds, 3), result.Count.Received,
            CipherNames.Of(session.Suite), request.Direction == SpeedDirection.ToResponder ? "sent" : "received"));
        return ExitCode.Done;
    }

    private SpeedRequest Request(CommandContext context)
    {
        var request = new SpeedRequest(
            context.Parsed.GetValue(_reverse) ? SpeedDirection.FromResponder : SpeedDirection.ToResponder,
            context.Parsed.GetValue(_streams),
            Seconds(context.Parsed.GetValue(_seconds)),
            Seconds(context.Parsed.GetValue(_skip)),
            (long)Math.Clamp(context.Parsed.GetValue(_rate) * 1e6 / 8, -1, 1e15));
        return request.IsValid ? request : throw new UsageException(
            $"A speed test takes 1 to {SpeedRequest.StreamsMax} streams, up to {SpeedRequest.DurationMax.TotalSeconds} seconds, less than these to skip, and a rate of at least 0.");
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(double.IsFinite(seconds) ? Math.Clamp(seconds, -1, 1e6) : -1);
}
