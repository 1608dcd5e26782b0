using System.Security.Cryptography;
using System.Text;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// The chunk store of a state directory: one part for each peer, which the jobs of this process share; opened with the first, closed and trimmed with the last. Safe for use
/// from several threads; other processes may use the same directory.
/// </summary>
// spec: SNAP-105
internal sealed class ChunkStoreShare(StateDirectory state)
{
    private const int NameLength = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Part> _parts = []; // guarded by _lock

    /// <summary>Opens the part of a peer or joins those who use it. Nothing of the peer's name becomes a path.</summary>
    /// <param name="peer">The peer's id, authenticated by the session.</param>
    /// <param name="size">What all parts together may take when the lease has ended.</param>
    public Lease Take(string peer, long size)
    {
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(peer)).AsSpan(0, NameLength));
        lock (_lock)
        {
            if (!_parts.TryGetValue(name, out Part? part))
            {
                StateDirectory.CreatePrivate(Path.Combine(state.Chunks, name));
                _parts[name] = part = new Part(new DirectoryChunkStore(Path.Combine(state.Chunks, name)));
            }

            part.Users++;
            return new Lease(part.Store, () => Return(name, part, size));
        }
    }

    /// <summary>What the store takes of the disk, and could give back.</summary>
    public long KeptBytes => ChunkPackFiles.Measure(state.Chunks);

    /// <summary>Gives back at least <paramref name="bytes"/> of the disk, or, where it has not so many, nothing.</summary>
    // spec: MIG-141
    public void MakeRoom(long bytes)
    {
        long kept = ChunkPackFiles.Measure(state.Chunks);
        if (kept >= bytes)
            ChunkPackFiles.Trim(state.Chunks, kept - bytes);
    }

    /// <summary>Takes from the store what is more than <paramref name="size"/>, or as much of it as the disk lets go: a cache that is too large ends nothing.</summary>
    // spec: MIG-141
    public void Trim(long size)
    {
        try
        {
            ChunkPackFiles.Trim(state.Chunks, size);
        }
        catch (Exception exception) when (exception is SnapshotException or IOException or UnauthorizedAccessException)
        {
            // The next job tries again.
        }
    }

    // spec: MIG-141
    private void Return(string name, Part part, long size)
    {
        lock (_lock)
        {
            if (--part.Users == 0)
            {
                _parts.Remove(name);
                part.Store.Dispose();
            }
        }

        Trim(size);
    }

    /// <summary>One job's use of a part.</summary>
    internal sealed class Lease(DirectoryChunkStore store, Action giveBack) : IDisposable
    {
        private int _isReturned;

        /// <summary>The part.</summary>
        public DirectoryChunkStore Store => store;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0)
                giveBack();
        }
    }

    private sealed class Part(DirectoryChunkStore store)
    {
        public DirectoryChunkStore Store => store;

        public int Users { get; set; } // guarded by the share's lock
    }
}
