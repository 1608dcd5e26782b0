using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Stages;

/// <summary>What a pull did.</summary>
/// <param name="Container">The container's name.</param>
/// <param name="Place">Where its content came from.</param>
/// <param name="PulledBytes">Content that was taken, before compression; what was here already is not in it.</param>
public sealed record ContentPulled(string Container, string Place, long PulledBytes);

/// <summary>Takes the content of a container's files out of a place: <c>pull</c>, and the stage <c>import-data</c>. Runs nothing, and can be repeated.</summary>
// spec: DEP-21
public sealed class PullRunner(MigrationEnvironment environment, IObjectStore place)
{
    /// <summary>
    /// For the stage: into a store of the container's own, which is kept until it is restored. Throws <see cref="MigrationException"/> when there is nothing, when something of it is damaged, or
    /// while another command does the same; <see cref="PlaceException"/> when the place, <see cref="Snapshot.SnapshotException"/> when the disk cannot be used.
    /// </summary>
    public async Task<ContentPulled> ImportAsync(ContainerName name, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        environment.State.Create();
        StageImport import = StageImport.Of(environment.State, name);
        using FileLock turn = import.TryLock()
            ?? throw new MigrationException(MigrationFault.AlreadyMigrating, $"'{name}' is being imported or restored here by another command.");
        using DirectoryChunkStore imports = import.OpenContent();
        return await RunAsync(name, imports, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// For later migrations from <paramref name="peer"/>, which then send only what has changed: into the content store, within its size. Throws like <see cref="ImportAsync"/>.
    /// </summary>
    public async Task<ContentPulled> PullAsync(ContainerName name, string peer, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        environment.State.Create();
        using ChunkStoreShare.Lease content = environment.State.ChunkStore.Take(peer, environment.StoreBytes);
        return await RunAsync(name, content.Store, progress, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ContentPulled> RunAsync(ContainerName name, DirectoryChunkStore store, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        var reporter = new ProgressReporter(environment, JobId.Create(), name.Value, progress);
        var meter = new TransferMeter(reporter.Advance);
        reporter.Watch(meter);
        reporter.Enter(MigrationPhase.Copying);
        var pull = new ContentPull(new Depot(place, name), store, meter);
        await pull.RunAsync(cancellationToken).ConfigureAwait(false);
        reporter.Enter(null);
        return pull.Packs > 0 ? new ContentPulled(name.Value, place.Place, pull.PulledBytes) : throw StageOrder.PrepareDataIsNext(name, place);
    }
}
