using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate jobs</c>: the migrations that this machine's journals know, and what to type. Touches nothing.</summary>
internal sealed class JobsCommand() : AgentCommand("jobs", "Lists the migrations that have not ended here, where each container runs, and what to type.")
{
    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        JobListed[] jobs = [.. JobList.Read(context.State).Select(JobView.Of)];
        if (context.Output is JsonOutput)
        {
            foreach (JobListed job in jobs)
                context.Output.Show(job);
        }
        else
        {
            context.Output.Show(new JobTable(jobs));
        }

        return Task.FromResult(ExitCode.Done);
    }
}
