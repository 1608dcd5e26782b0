using P2PMigrate.Migration.Archives;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Stages;

/// <summary>The container is frozen, and its dump lies in the place, for a target to restore.</summary>
public sealed record DumpCreated : MigrationOutcome
{
    /// <summary>Where the dump is.</summary>
    public required string Place { get; init; }

    /// <summary>Bytes of the dump as it lies there.</summary>
    public required long DumpBytes { get; init; }

    /// <summary>Memory in it, before compression.</summary>
    public required long MemoryBytes { get; init; }
}

/// <summary>
/// The stage <c>create-dump</c>: freezes a container and puts what <c>prepare-data</c> has not brought yet into the place. Afterwards the container stays frozen until a target
/// runs it or somebody takes it back (<see cref="UnfreezeRunner"/>).
/// </summary>
// spec: DEP-22
public sealed class CreateDumpRunner(MigrationEnvironment environment, IObjectStore place)
{
    /// <summary>
    /// Dumps <paramref name="container"/>, which the caller has checked. Every end after the freeze is an outcome, <see cref="DumpCreated"/> or <see cref="MigrationFailed"/>. Throws
    /// <see cref="MigrationException"/> when no job was begun: another one stands in the way, another stage is due, or the place is none for a dump; <see cref="PlaceException"/> when it cannot be used.
    /// </summary>
    public async Task<MigrationOutcome> RunAsync(
        ContainerDescription container, JobId id, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (!ContainerName.TryParse(container.Name, out ContainerName name))
            throw new MigrationException(MigrationFault.WrongState, SourceTurn.NameReason(container.Name));
        environment.State.Create();
        PlaceCheck.RefuseIfDoomed(environment.State, container, place.Place);
        using FileLock turn = SourceTurn.Take(environment, name);
        var depot = new Depot(place, name);
        HashSet<ChunkId> known = await depot.KnownAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> packs = await depot.ListPacksAsync(cancellationToken).ConfigureAwait(false);
        if (packs.Count == 0)
            throw StageOrder.PrepareDataIsNext(name, place);
        if (await OpenDumpAsync(depot, cancellationToken).ConfigureAwait(false) is { } other)
            throw StageOrder.SeveralDumps(name, place.Place, [other]);
        var plan = new CheckpointPlan(container, name, id, JobKind.Stage, place.Place, IsLeftRunning: false);
        CheckpointJob job = await CheckpointJob.BeginAsync(environment, plan, progress, cancellationToken).ConfigureAwait(false);
        await using (job.ConfigureAwait(false))
        {
            MigrationOutcome outcome = await WriteAsync(job, depot, plan, (known, packs), cancellationToken).ConfigureAwait(false);
            job.ShowEnd();
            Log.JobEnded(environment.Logger, id, name.Value, outcome.GetType().Name, (outcome as MigrationFailed)?.Reason ?? "");
            return outcome;
        }
    }

    /// <summary>For whoever would seal the place for <paramref name="readers"/> before it runs: throws <see cref="MigrationException"/> when <c>prepare-data</c> is due, <see cref="PlaceException"/> when the place cannot be used.</summary>
    // spec: DEP-25
    public static async Task RequireDataAsync(IObjectStore place, ContainerName name, IReadOnlyCollection<PublicIdentity> readers, CancellationToken cancellationToken)
    {
        if ((await new Depot(place, name).ListPacksAsync(cancellationToken).ConfigureAwait(false)).Count == 0)
            throw StageOrder.PrepareDataIsNext(name, place.Place, readers);
    }

    private async Task<MigrationOutcome> WriteAsync(CheckpointJob job, Depot depot, CheckpointPlan plan, (HashSet<ChunkId> Chunks, IReadOnlyList<string> Packs) known, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var dump = new DumpWriteStream(depot, plan.JobId);
        AbortWatch watch = AbortWatch.Start(environment, () => plan.JobId, stop.Cancel);
        long length = 0;
        await using (dump.ConfigureAwait(false))
        await using (watch.ConfigureAwait(false))
        {
            try
            {
                var archive = new ArchiveWriter(dump, job.Files, job.Meter, known.Chunks);
                await using (archive.ConfigureAwait(false))
                {
                    await job.WriteAsync(archive, stop.Token).ConfigureAwait(false);
                    length = archive.Length;
                }

                await dump.CompleteAsync(stop.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                return await UndoAsync(job, depot, plan, FailureReason.Of(exception, environment.State), mayBeSeen: false).ConfigureAwait(false);
            }
        }

        return await HandOverAsync(job, depot, plan, (dump.Parts, known.Packs), length).ConfigureAwait(false);
    }

    /// <summary>A dump that somebody may still restore.</summary>
    private static async Task<JobId?> OpenDumpAsync(Depot depot, CancellationToken cancellationToken)
    {
        foreach (JobId dump in await depot.ListDumpsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (await depot.ClaimOf(dump).OwnerAsync(cancellationToken).ConfigureAwait(false) == ContainerSide.None)
                return dump;
        }

        return null;
    }

    /// <summary>From here on a target may run the container, unless the source claims the dump first.</summary>
    private async Task<MigrationOutcome> HandOverAsync(CheckpointJob job, Depot depot, CheckpointPlan plan, (int Parts, IReadOnlyList<string> Packs) dump, long length)
    {
        try
        {
            job.HandOver();
            await depot.CompleteDumpAsync(plan.JobId, dump.Parts, dump.Packs, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            return await UndoAsync(job, depot, plan, FailureReason.Of(exception, environment.State), mayBeSeen: true).ConfigureAwait(false);
        }

        return new DumpCreated { JobId = plan.JobId, Container = plan.Name.Value, Place = plan.Place, DumpBytes = length, MemoryBytes = job.MemoryBytes };
    }

    private static async Task<MigrationOutcome> UndoAsync(CheckpointJob job, Depot depot, CheckpointPlan plan, Failure failure, bool mayBeSeen)
    {
        MigrationFailed failed = SourceOutcome.NotBegun(plan.JobId, plan.Name.Value, failure);
        job.ShowRollingBack();
        try
        {
            if (mayBeSeen && !await depot.TryTakeBackAsync(plan.JobId, CancellationToken.None).ConfigureAwait(false))
                throw StageOrder.TargetHasIt(plan.Name, plan.JobId, plan.Place);
            await job.ThawAsync().ConfigureAwait(false);
            if (job.EndOfContainer is { } end)
                failed = SourceOutcome.Ended(failed, end);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            if (job.EndOfContainer is { } end)
                return SourceOutcome.Ended(failed, end, exception.Message);
            return failed with
            {
                Reason = $"{failure.Reason} '{plan.Name}' is frozen here and was not thawed: {exception.Message} Type: p2pmigrate migrate {plan.Name} -s unfreeze",
                RunningAt = ContainerSide.None,
                IsInDoubt = true,
            };
        }

        await DepotTidying.TryAsync(() => depot.RemoveDumpAsync(plan.JobId, CancellationToken.None)).ConfigureAwait(false);
        return failed;
    }

    private static bool IsWorlds(Exception exception) =>
        exception is ContainerException or MigrationException or SnapshotException or IOException or UnauthorizedAccessException or OperationCanceledException;
}
