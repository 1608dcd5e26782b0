using P2PMigrate.Migration.Journal;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// The chunk store of a state directory, shared by the jobs of one process: opened with the first, closed with the last. Safe for use from
/// several threads. A second process is kept out.
/// </summary>
internal sealed class ChunkStoreShare(StateDirectory state)
{
    private const string LockName = "receive.lock";

    private readonly Lock _lock = new();
    private FileLock? _turn;             // guarded by _lock, like the two below
    private DirectoryChunkStore? _store;
    private int _users;

    /// <summary>Opens the store or joins those who use it. Throws <see cref="CheckFailedException"/> when another process has it.</summary>
    public Lease Take()
    {
        lock (_lock)
        {
            if (_users == 0)
                Open();
            _users++;
            return new Lease(this, _store!);
        }
    }

    private void Open()
    {
        _turn = FileLock.TryTake(Path.Combine(state.Root, LockName))
            ?? throw CheckFailedException.Of("state directory", $"Another process receives into {state.Root} at the target.", "Give one of them another state directory.");
        try
        {
            _store = OpenStore(state.Chunks);
        }
        catch
        {
            _turn.Dispose();
            throw;
        }
    }

    private static DirectoryChunkStore OpenStore(string directory) => new(directory);

    private void Return()
    {
        lock (_lock)
        {
            if (--_users > 0)
                return;
            _store?.Dispose();
            _turn?.Dispose();
        }
    }

    /// <summary>One job's use of the store.</summary>
    internal sealed class Lease(ChunkStoreShare share, IChunkStore store) : IDisposable
    {
        private bool _isReturned;

        /// <summary>The store.</summary>
        public IChunkStore Store => store;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (_isReturned)
                return;
            _isReturned = true;
            share.Return();
        }
    }
}
