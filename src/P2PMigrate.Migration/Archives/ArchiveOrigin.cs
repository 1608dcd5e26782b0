using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Archives;

/// <summary>A file or a pipe: nobody else is asked (ARC-23), and its content is kept with that of other archives.</summary>
internal sealed class ArchiveOrigin(MigrationEnvironment environment) : IArchiveOrigin
{
    private const string AnArchive = "an archive";

    private ChunkStoreShare.Lease? _content;

    /// <inheritdoc/>
    public string Name => AnArchive;

    /// <inheritdoc/>
    public JobKind Kind => JobKind.Archive;

    /// <inheritdoc/>
    public JobId? Dump => null;

    /// <inheritdoc/>
    public void Accept(ArchiveHead head)
    {
        // Whatever is in the file is meant.
    }

    /// <inheritdoc/>
    public IChunkStore Content => (_content ??= environment.State.ChunkStore.Take(AnArchive, environment.StoreBytes)).Store;

    /// <inheritdoc/>
    public Task ClaimAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task GiveUpAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _content?.Dispose();
}
