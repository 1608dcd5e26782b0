using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Stages;

/// <summary>The stage <c>unfreeze</c>: takes a container back whose dump nobody has restored.</summary>
// spec: DEP-24
public sealed class UnfreezeRunner(MigrationEnvironment environment, Func<string, IObjectStore> open)
{
    private readonly RecoveryEffects _effects = new(environment);

    /// <summary>
    /// Claims the dump and thaws the container. Throws <see cref="MigrationException"/> when it is not frozen for a stage, or the target has it; <see cref="IOException"/> when the place
    /// cannot be asked: then it stays frozen.
    /// </summary>
    public async Task<RecoveredJob> RunAsync(ContainerName name, CancellationToken cancellationToken = default)
    {
        foreach (UnfinishedJob job in UnfinishedJob.FindAll(environment.State))
        {
            using (job)
            {
                if (job.Contents is { Head.Kind: JobKind.Stage } contents && job.Concerns(JobRole.Source, name))
                    return await ThawAsync(job, contents, name, cancellationToken).ConfigureAwait(false);
            }
        }

        throw new MigrationException(
            MigrationFault.WrongState, $"No stage has frozen '{name}' on this machine, so there is nothing to unfreeze. What is unfinished here is listed by: p2pmigrate jobs");
    }

    private async Task<RecoveredJob> ThawAsync(UnfinishedJob job, JournalContents contents, ContainerName name, CancellationToken cancellationToken)
    {
        _effects.RequireRuntime(job);
        IObjectStore place = open(contents.Head.Place);
        var depot = new Depot(place, name);
        if (RecoveryRules.For(contents) == RecoveryAction.InDoubt
            && !await depot.ClaimOf(job.JobId).TryTakeForSourceAsync(cancellationToken).ConfigureAwait(false))
        {
            throw StageOrder.TargetHasIt(name, job.JobId, place.Place);
        }

        bool runs = await _effects.ThawAsync(job, cancellationToken).ConfigureAwait(false);
        await DepotTidying.TryAsync(() => depot.RemoveDumpAsync(job.JobId, CancellationToken.None)).ConfigureAwait(false);
        return runs
            ? RecoveryMessage.Done(job, RecoveryAction.Thawed) with { Message = $"'{name}' was taken back and runs here as before; its dump cannot be restored any more." }
            : RecoveryMessage.Gone(job, environment.Runtime);
    }
}
