using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>
/// <c>p2pmigrate resolve JOB --keep source|target</c>: a person's word on a job whose end the source could not learn.
/// </summary>
internal sealed class ResolveCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();
    private readonly Option<string?> _place = ObjectPlaces.TicketOption();

    private readonly Argument<string> _job = JobArgument.Create();

    private readonly Option<string> _keep = new("--keep")
    {
        Description =
            "source: lets the frozen copy here go on; if the target runs too, two copies run. " +
            "target: ends the frozen copy here; if the target does not run, the container is lost.",
        HelpName = "source|target",
        Required = true,
    };

    private readonly Option<bool> _placeIsLost = new("--place-is-lost")
    {
        Description = "Of a container that create-dump has frozen: decide without asking the place of its dump, because it is lost for good. If anybody can still restore from it, two copies may run.",
    };

    private readonly Option<bool> _targetIsLost = new("--target-is-lost")
    {
        Description = "With --keep source, of a container whose memory was still following it to the target: let what is frozen here go on, because the target is lost for good. If the container runs there all the same, two copies run.",
    };

    public ResolveCommand()
        : base("resolve", "Decides which copy of a container to keep after a migration that ended in doubt.")
    {
        _keep.AcceptOnlyFromAmong("source", "target");
        Arguments.Add(_job);
        Options.Add(_keep);
        Options.Add(_placeIsLost);
        Options.Add(_targetIsLost);
        Options.Add(_runtime.Option);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
        Options.Add(_place);
    }

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        JobId job = JobArgument.Of(context.Parsed, _job);
        if (context.Parsed.GetValue(_place) is { } place)
            ObjectPlaces.NameOf(context, place);
        ContainerSide keep = context.Parsed.GetValue(_keep) == "source" ? ContainerSide.Source : ContainerSide.Target;
        LostForGood lost = (context.Parsed.GetValue(_placeIsLost) ? LostForGood.Place : LostForGood.Nothing)
            | (context.Parsed.GetValue(_targetIsLost) ? LostForGood.Target : LostForGood.Nothing);
        if (lost.HasFlag(LostForGood.Target) && keep != ContainerSide.Source)
            throw new UsageException("--target-is-lost goes with --keep source: what ran at the target is lost with it.");
        RecoveredJob resolved = await new JobRecovery(_runtime.Environment(context)).ResolveAsync(job, keep, lost, cancellationToken).ConfigureAwait(false);
        context.Output.Show(JobView.Of(resolved));
        return JobView.CodeOf(resolved);
    }
}
