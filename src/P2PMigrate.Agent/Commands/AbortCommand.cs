using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary>
/// <c>p2pmigrate abort JOB</c>: stops a migration, as long as it has not been handed over: one in progress as well as one that was interrupted. Only this job ends,
/// not the program that works on it.
/// </summary>
internal sealed class AbortCommand : AgentCommand
{
    private readonly RuntimeChoice _runtime = new();
    private readonly Argument<string> _job = JobArgument.Create();

    public AbortCommand()
        : base("abort", "Stops a migration that has not committed; the container goes on at the source.")
    {
        Arguments.Add(_job);
        Options.Add(_runtime.Option);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        JobId job = JobArgument.Of(context.Parsed, _job);
        RecoveredJob aborted = await new JobRecovery(_runtime.Environment(context)).AbortAsync(job, cancellationToken).ConfigureAwait(false);
        return JobView.Show(context.Output, aborted);
    }
}
