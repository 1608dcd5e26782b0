using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Stages;

/// <summary>The stage <c>unfreeze</c>: takes a container back whose dump nobody has restored.</summary>
// spec: DEP-24
public sealed class UnfreezeRunner(MigrationEnvironment environment)
{
    /// <summary>
    /// Claims the dump and thaws the container. Throws <see cref="MigrationException"/> when no stage has frozen it, or the target has it, and <see cref="PlaceException"/> when the place
    /// cannot be asked: then it stays frozen.
    /// </summary>
    public async Task<RecoveredJob> RunAsync(ContainerName name, CancellationToken cancellationToken = default)
    {
        JobId job = Find(name) ?? throw new MigrationException(
            MigrationFault.WrongState, $"No stage has frozen '{name}' on this machine, so there is nothing to unfreeze. What is unfinished here is listed by: p2pmigrate jobs");
        RecoveredJob recovered = await new JobRecovery(environment).ResolveAsync(job, ContainerSide.Source, cancellationToken).ConfigureAwait(false);
        return recovered.RunningAt == ContainerSide.Source
            ? recovered with { Message = $"'{name}' was taken back and runs here as before; its dump cannot be restored any more." } : recovered;
    }

    private JobId? Find(ContainerName name)
    {
        foreach (UnfinishedJob job in UnfinishedJob.FindAll(environment.State))
        {
            using (job)
            {
                if (job.Head is { Kind: JobKind.Stage, Role: JobRole.Source } head && head.Container == name)
                    return job.JobId;
            }
        }

        return null;
    }
}
