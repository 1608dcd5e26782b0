using Microsoft.Extensions.Logging;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// What a source keeps of what it sends, so that a container that comes back brings only what changed. It gives up where it cannot, and ends no job. One owner, one thread at a time.
/// </summary>
// spec: MIG-140
internal sealed class SentChunks : IDisposable
{
    /// <summary>What must be left on the disk of a machine on which the container runs.</summary>
    private const long LeastFree = 1L << 30;

    private const long CheckInterval = 64L << 20;

    private readonly StateDirectory _state;
    private readonly ILogger _logger;
    private readonly long _size;
    private readonly ChunkStoreShare.Lease? _lease;
    private bool _hasGivenUp;
    private long _kept;
    private long _checkedAt = -CheckInterval;

    private SentChunks(MigrationEnvironment environment, ChunkStoreShare.Lease? lease, long size) =>
        (_state, _logger, _lease, _size, _hasGivenUp) = (environment.State, environment.Logger, lease, size, lease is null);

    /// <summary>Opens what is kept for a peer. The state directory is there.</summary>
    public static SentChunks Open(MigrationEnvironment environment, string peer)
    {
        long size = environment.StoreBytes;
        try
        {
            return new SentChunks(environment, size == 0 ? null : environment.State.ChunkStore.Take(peer, size), size);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            Log.SentNotKept(environment.Logger, exception.Message);
            return new SentChunks(environment, null, size);
        }
    }

    /// <summary>Says that these chunks are of use: whoever evicts looks elsewhere first.</summary>
    public void MarkUsed(ChunkCatalogue catalogue)
    {
        if (_lease is null)
            return;
        foreach (ChunkLocation location in catalogue.Chunks)
            _ = _lease.Store.Contains(location.Chunk);
    }

    /// <summary>Keeps a chunk that was just read and hashed.</summary>
    public void Keep(in EncodedChunk chunk)
    {
        if (_hasGivenUp || !HasRoom())
            return;
        try
        {
            _kept += _lease!.Store.Keep(chunk);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            GiveUp(exception.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _lease?.Dispose();
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            Log.SentNotKept(_logger, exception.Message);
        }
    }

    /// <summary>A store that is full forgets what is oldest as it goes; what this job keeps is never more than the whole.</summary>
    private bool HasRoom()
    {
        if (_kept >= _size)
            return GiveUp("it is more than the store may hold");
        if (_kept - _checkedAt < CheckInterval)
            return true;
        _checkedAt = _kept;
        try
        {
            ChunkPackFiles.Trim(_state.Chunks, _size);
            return new DriveInfo(_state.Root).AvailableFreeSpace >= LeastFree || GiveUp("the disk is nearly full");
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            return GiveUp(exception.Message);
        }
    }

    private bool GiveUp(string reason)
    {
        _hasGivenUp = true;
        Log.SentNotKept(_logger, reason);
        return false;
    }

    private static bool IsWorlds(Exception exception) => exception is SnapshotException or IOException or UnauthorizedAccessException;
}
