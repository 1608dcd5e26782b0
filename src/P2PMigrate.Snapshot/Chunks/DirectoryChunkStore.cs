using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Keeps chunks in a directory of pack files. Crash-safe without a single fsync: what a crash or a loss of power has
/// spoiled fails its bounds when the store is opened, or its digest when it is read, and counts as absent. What is there
/// is listed once at the start and remembered. The directory belongs to one store at a time; its owner sees to that.
/// </summary>
/// <remarks>
/// Packs and not a file for each chunk, because making a small file costs twenty times what appending to a large one does
/// (measured on ext4: 265 and 14 µs of CPU), and most files of a root file system are small.
/// </remarks>
public sealed class DirectoryChunkStore : IChunkStore, IDisposable
{
    private const string PackName = "pack-";

    private readonly string _directory;
    private readonly Lock _lock = new();
    private readonly List<ChunkPack> _packs = [];                     // guarded by _lock
    private readonly Dictionary<ChunkId, PackedChunk> _present = [];  // guarded by _lock

    /// <summary>Opens a store in <paramref name="directory"/>, which is made if need be; leftovers of a crash are removed.</summary>
    public DirectoryChunkStore(string directory)
    {
        _directory = Path.GetFullPath(directory);
        try
        {
            Directory.CreateDirectory(_directory);
            foreach (string path in Directory.EnumerateFiles(_directory, PackName + "*").Order(StringComparer.Ordinal))
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
            return _present.ContainsKey(id);
    }

    /// <inheritdoc/>
    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        if (Contains(chunk.Id))
            return true;

        using PooledBuffer buffer = new(EncodedChunk.MaxRecordLength);
        if (!chunk.TryDecode(buffer.Span, out reason))
            return false;

        chunk.CopyTo(buffer.Span);
        try
        {
            lock (_lock)
                Append(chunk.Id, buffer.Span[..chunk.RecordLength]);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            throw Failure("write to", exception);
        }

        return true;
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
        using PooledBuffer buffer = new(place.Length);
        try
        {
            int read = place.Pack.Read(place.Offset, buffer.Span);
            if (EncodedChunk.TryParse(buffer.Memory[..read], out EncodedChunk chunk, out _) && chunk.Id == id && chunk.TryDecode(destination, out _))
            {
                length = chunk.Length;
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
        }
    }

    private void AddPack(string path)
    {
        ChunkPack pack = new(path);
        _packs.Add(pack);
        foreach ((ChunkId id, PackedChunk place) in pack.List())
            _present[id] = place;
    }

    private void Append(in ChunkId id, ReadOnlySpan<byte> record)
    {
        if (_present.ContainsKey(id))
            return; // another thread was faster

        if (_packs.Count == 0 || _packs[^1].IsFull)
            AddPack(Path.Combine(_directory, PackName + _packs.Count.ToString("D8", CultureInfo.InvariantCulture)));
        _present[id] = _packs[^1].Append(record);
    }

    private void Forget(in ChunkId id, in PackedChunk place)
    {
        lock (_lock)
        {
            if (_present.TryGetValue(id, out PackedChunk current) && current == place && _present.Remove(id))
                place.Pack.Erase(place.Offset);
        }
    }

    private static bool IsWorlds(Exception exception) => exception is IOException or UnauthorizedAccessException;

    private SnapshotException Failure(string action, Exception inner) =>
        new($"Cannot {action} the chunk store {_directory}: {inner.Message}", inner);
}
