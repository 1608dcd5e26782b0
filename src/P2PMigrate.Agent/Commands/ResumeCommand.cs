using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate resume JOB</c>: finishes or undoes an interrupted migration by what its journal says, as the next start would.</summary>
internal sealed class ResumeCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();
    private readonly Option<string?> _place = ObjectPlaces.TicketOption();
    private readonly Argument<string> _job = JobArgument.Create();

    public ResumeCommand()
        : base("resume", "Finishes a migration that was interrupted, or undoes it where it had not committed; where it is in doubt, by the target's word.")
    {
        Arguments.Add(_job);
        Options.Add(_runtime.Option);
        Options.Add(_place);
        Options.Add(PeerAddressing.NoPunching);
        Options.Add(PeerAddressing.Turn);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        JobId job = JobArgument.Of(context.Parsed, _job);
        if (context.Parsed.GetValue(_place) is { } place)
            ObjectPlaces.NameOf(context, place);
        MigrationEnvironment environment = _runtime.Environment(context);
        TargetHeard? heard = new DoubtInquiry(environment).Find(job) is { } doubt
            ? await TargetsWord.AskAsync(context, environment, doubt, cancellationToken).ConfigureAwait(false)
            : null;
        RecoveredJob resumed = heard?.Job ?? await new JobRecovery(environment).ResumeAsync(job, cancellationToken).ConfigureAwait(false);
        return JobView.Show(context.Output, heard?.Reason is { } reason ? resumed with { Message = $"The target could not be asked: {reason} {resumed.Message}" } : resumed);
    }
}
