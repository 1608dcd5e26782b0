using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Report;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate migrate CONTAINER --to TICKET</c>: moves a running container of this machine to the peer that issued the ticket.</summary>
internal sealed class MigrateCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();
    private readonly StoreChoice _store = new();

    private readonly Argument<string?> _container = new("CONTAINER") { Description = "The running container, as its runtime calls it.", Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<string?> _ticket = new("--to")
    {
        Description = "The ticket that `p2pmigrate receive` printed on the target.",
        HelpName = "TICKET",
    };

    private readonly StageChoice _stage = new();

    private bool _isStage, _isAfterFreeze;

    private readonly SourceContainer _source = new();

    private readonly CopyChoice _copy = new();

    private readonly RateChoice _rate = new();

    private readonly Option<string?> _report = new("--report")
    {
        Description = "Leave a report of the migration in this file, for a browser; a failed one leaves one too.",
        HelpName = "FILE.html",
    };

    private readonly Option<string?> _listen = PeerAddressing.ListenOption();

    public MigrateCommand()
        : base("migrate", "Moves a running container to the peer that issued the ticket.")
    {
        Arguments.Add(_container);
        Options.Add(_ticket);
        Options.Add(_stage.Stage);
        Options.Add(_stage.Destination);
        Options.Add(_stage.Seal.Option);
        Options.Add(_stage.From);
        Options.Add(_runtime.Option);
        Options.Add(_runtime.Pid);
        Options.Add(_store.Option);
        foreach (Option option in _source.Options)
            Options.Add(option);
        foreach (Option option in _copy.Options)
            Options.Add(option);
        Options.Add(_rate.Option);
        Options.Add(_report);
        Options.Add(_listen);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    protected override IOutput Record(ParseResult parsed, IOutput output) =>
        parsed.GetValue(_report) is { } file ? new ReportingOutput(output, file, TimeProvider.System) : output;

    /// <summary>A stage that may follow the freeze does not know where the container runs.</summary>
    protected override bool ConcernsContainer => !_isAfterFreeze;

    protected override ExitCode Interrupt(IOutput output)
    {
        output.Show(_isStage
            ? new Output.MigrationFailed("Interrupted. Where the container runs, or is frozen, is as it was before; at the source, p2pmigrate jobs says it.", "none")
            : new Output.MigrationFailed("Interrupted before the migration began.", "source"));
        return ExitCode.RunsAtSource;
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        _stage.RefuseIdle(context.Parsed, _source);
        MigrationEnvironment environment = _store.Apply(context.Parsed, _runtime.Environment(context));
        string name = _runtime.NameOf(context, _container);
        if (context.Parsed.GetValue(_stage.Stage) is not null)
        {
            if (context.Parsed.GetValue(_ticket) is not null)
                throw new UsageException("A stage goes through the place that -d names, which may be a ticket too, a whole migration to the peer of a ticket: leave out --to, or -s.");
            _copy.RefuseStage(context.Parsed);
            (_isStage, _isAfterFreeze) = (true, _stage.IsAfterFreeze(context.Parsed));
            (context.Tunnels.Listen, context.Tunnels.MaxRate) = (context.Parsed.GetValue(_listen), _rate.Of(context.Parsed));
            return await _stage.RunAsync(context, environment, name, _source, cancellationToken).ConfigureAwait(false);
        }

        string ticketText = context.Parsed.GetValue(_ticket)
            ?? throw new UsageException("Where to? Add --to TICKET, which `p2pmigrate receive` prints on the target; or, by hand, a stage: -s prepare-data -d DEST.");
        CopyOptions copy = _copy.Of(context.Parsed);
        double? maxRate = _rate.Of(context.Parsed);
        (context.Output as ReportingOutput)?.Prepare();
        if (await SourcePreparation.RecoverAsync(context, environment, name, cancellationToken).ConfigureAwait(false) is { } unfinished)
            return unfinished;
        await using PeerConnection peer = await PeerConnection.OpenForMigrationAsync(
            context, rendezvous: null, context.Parsed.GetValue(_listen), cancellationToken, maxRate).ConfigureAwait(false);
        Ticket ticket = PeerAddressing.TicketOf(ticketText, peer.Endpoint.PeerId);
        if (context.Output is ReportingOutput report)
            report.Subject = new ReportSubject(name, $"{Environment.MachineName} ({peer.Endpoint.PeerId.ToShortString()})", ticket.Responder.PeerId.ToString());
        ContainerDescription container = await _source.InspectAsync(context.Parsed, environment, name, cancellationToken).ConfigureAwait(false);
        CopyChoice.RefuseUnable(copy, container);
        if (!await SourcePreparation.CheckAsync(environment.Runtime, container, context.Output, cancellationToken).ConfigureAwait(false))
            return ExitCode.Preflight;

        await using TunnelSession session = await peer.DialAsync(ticketText, cancellationToken).ConfigureAwait(false);
        Task paths = PeerConnection.ShowPathsAsync(session, context.Output);
        using CancellationTokenRegistration interruption = cancellationToken.Register(() => context.Output.Show(new Interrupting()));
        MigrationOutcome outcome = await new SourceRunner(environment).SendAsync(
            session, container, OptionsOf(session, ticket, copy), new ProgressView(context.Output), cancellationToken).ConfigureAwait(false);
        await session.CloseAsync(0, "done", CancellationToken.None).ConfigureAwait(false);
        await paths.ConfigureAwait(false);

        if (outcome is Migration.MigrationFailed { IsInDoubt: true } doubt && await EndDoubtAsync(context, environment, peer.Endpoint, doubt, cancellationToken).ConfigureAwait(false) is { } ended)
            return ended;
        foreach (Finding finding in outcome is Migration.MigrationFailed failed ? failed.Findings : [])
            context.Output.Show(MigrationView.Of(finding, "target"));
        (AgentEvent last, ExitCode code) = MigrationView.Of(outcome);
        context.Output.Show(last is Output.MigrationCompleted completed ? completed with { WireBytes = session.Statistics.WireSent } : last);
        return code;
    }

    private static SendOptions OptionsOf(TunnelSession session, Ticket ticket, CopyOptions copy) => new()
    {
        PeerName = session.Peer.ToString(),
        Target = new PeerContact(session.PeerKey, ticket.Rendezvous, [.. ticket.Hints.Select(hint => hint.ToEndPoint())]),
        Copy = copy,
    };

    /// <summary>The link may come back, or the target's program: it knows how the job ended. An exit code when its word ended the doubt.</summary>
    // spec: MIG-194
    private static async Task<ExitCode?> EndDoubtAsync(
        CommandContext context, MigrationEnvironment environment, TunnelEndpoint endpoint, Migration.MigrationFailed doubt, CancellationToken cancellationToken)
    {
        if (new DoubtInquiry(environment).Find(doubt.JobId) is not { } open)
            return null;
        TargetHeard heard = await new TargetsWord(environment, endpoint).AskAsync(
            open, doubt.HasLeft ? Timeout.InfiniteTimeSpan : DoubtInquiry.Patience, context.Output, cancellationToken).ConfigureAwait(false);
        if (heard is { Job: null, Reason: null })
        {
            context.Output.Show(new Output.MigrationFailed(
                $"Another p2pmigrate of this machine asked the target meanwhile, and ended the doubt; it has said where '{open.Container}' runs. Whether that is here, says: p2pmigrate check {open.Container}", "none"));
            return ExitCode.InDoubt;
        }

        if (heard is not { EndsDoubt: true, Job: { } ended })
            return null;
        if (ended.Action == RecoveryAction.Destroyed)
        {
            context.Output.Show(JobView.Of(ended));
            return ExitCode.Done;
        }

        context.Output.Show(JobView.Failure(ended));
        return ended.HasContainerEnded ? ExitCode.Ended : ended.RunningAt == ContainerSide.Source ? ExitCode.RunsAtSource : ExitCode.InDoubt;
    }
}
