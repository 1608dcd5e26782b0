using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Keeps chunks in a directory of pack files. Crash-safe without a single fsync: what a crash or a loss of power has spoiled fails its bounds when the store is
/// opened, or its digest when it is read, and counts as absent. What is there is listed once at the start and remembered. Several stores, also of several processes, may
/// use one directory at once: each appends to packs of its own, sees what the others had written when it was opened, and keeps what it has seen when <see cref="ChunkPackFiles.Trim"/>
/// removes the files.
/// </summary>
/// <remarks>
/// Packs and not a file for each chunk, because making a small file costs twenty times what appending to a large one does
/// (measured on ext4: 265 and 14 µs of CPU), and most files of a root file system are small.
/// </remarks>
public sealed class DirectoryChunkStore : IChunkStore, IDisposable
{
    private readonly string _directory;
    private readonly Lock _lock = new();
    private readonly List<ChunkPack> _packs = [];                     // guarded by _lock
    private readonly Dictionary<ChunkId, PackedChunk> _present = [];  // guarded by _lock
    private ChunkPack? _open;                                         // guarded by _lock: the one that is appended to

    /// <summary>Opens a store in <paramref name="directory"/>, which is made if need be.</summary>
    public DirectoryChunkStore(string directory)
    {
        _directory = Path.GetFullPath(directory);
        try
        {
            Directory.CreateDirectory(_directory);
            foreach (string path in ChunkPackFiles.In(_directory))
                AddPack(path);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            Dispose();
            throw Failure("open", exception);
        }
    }

    /// <inheritdoc/>
    public int Count
    {
        get
        {
            lock (_lock)
                return _present.Count;
        }
    }

    /// <inheritdoc/>
    public bool Contains(in ChunkId id)
    {
        lock (_lock)
        {
            if (!_present.TryGetValue(id, out PackedChunk place))
                return false;
            place.Pack.IsUsed = true;
            return true;
        }
    }

    /// <inheritdoc/>
    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        if (Contains(chunk.Id))
            return true;

        using PooledBuffer buffer = new(SnapshotLimits.ChunkLength);
        if (!chunk.TryDecode(buffer.Span, out reason))
            return false;
        Keep(chunk);
        return true;
    }

    /// <summary>
    /// Keeps a copy of a chunk that the caller has just made of its content itself, or verified; compressed, whether it came so or not. Returns the bytes that this takes.
    /// </summary>
    public long Keep(in EncodedChunk chunk)
    {
        if (Contains(chunk.Id))
            return 0;

        using PooledBuffer buffer = new(SnapshotLimits.ChunkLength);
        EncodedChunk packed = chunk.Pack(buffer.Memory);
        try
        {
            lock (_lock)
                Append(packed);
            return packed.RecordLength;
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            throw Failure("write to", exception);
        }
    }

    /// <inheritdoc/>
    public bool TryRead(in ChunkId id, Span<byte> destination, out int length)
    {
        length = 0;
        PackedChunk place;
        lock (_lock)
        {
            if (!_present.TryGetValue(id, out place))
                return false;
        }

        // spec: SNAP-24
        using PooledBuffer buffer = new(place.PayloadLength);
        try
        {
            int read = place.Pack.Read(place.Offset, buffer.Span);
            if (read == place.PayloadLength && EncodedChunk.OfParts(id, place.Length, buffer.Memory).TryDecode(destination, out _))
            {
                length = place.Length;
                return true;
            }

            Forget(id, place);
            return false;
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            throw Failure("read from", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (ChunkPack pack in _packs)
                pack.Dispose();
            _packs.Clear();
            _present.Clear();
            _open = null;
        }
    }

    private void AddPack(string path)
    {
        if (ChunkPack.TryOpen(path) is not { } pack)
            return; // evicted meanwhile, or never complete
        _packs.Add(pack);
        foreach ((ChunkId id, PackedChunk place) in pack.List())
            _present[id] = place;
    }

    private void Append(in EncodedChunk chunk)
    {
        if (_present.ContainsKey(chunk.Id))
            return; // another thread was faster

        if (_open is null or { IsFull: true })
            _open = FindWritable() ?? Create();
        _present[chunk.Id] = _open.Append(chunk);
    }

    /// <summary>Small migrations fill one pack after the other and not each its own.</summary>
    private ChunkPack? FindWritable() => Enumerable.Reverse(_packs).FirstOrDefault(pack => pack.TryBecomeWriter());

    private ChunkPack Create()
    {
        ChunkPack pack = ChunkPack.Create(_directory);
        _packs.Add(pack);
        return pack;
    }

    private void Forget(in ChunkId id, in PackedChunk place)
    {
        lock (_lock)
        {
            if (_present.TryGetValue(id, out PackedChunk current) && current == place && _present.Remove(id))
                place.Pack.Erase(place);
        }
    }

    private static bool IsWorlds(Exception exception) => exception is IOException or UnauthorizedAccessException;

    private SnapshotException Failure(string action, Exception inner) =>
        new($"Cannot {action} the chunk store {_directory}: {inner.Message}", inner);
}
