using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Keeps each chunk as a file of its own: <c>ab/cdef…</c>, named by digest, holding the record of chapter 10, section 5.
/// Crash-safe without a single fsync: a file appears whole by renaming, and one that a loss of power has spoiled fails
/// its digest, is removed and counts as absent. What is there is listed once at the start and remembered. The directory
/// belongs to one store at a time.
/// </summary>
public sealed class DirectoryChunkStore : IChunkStore
{
    private const string TemporaryPrefix = "new-";
    private const int FanOut = 256;

    private readonly string _directory;
    private readonly Lock _lock = new();
    private readonly HashSet<ChunkId> _present = []; // guarded by _lock
    private long _temporaries;

    /// <summary>Opens a store in <paramref name="directory"/>, which is made if need be; leftovers of a crash are removed.</summary>
    public DirectoryChunkStore(string directory)
    {
        _directory = Path.GetFullPath(directory);
        Guarded("open", () =>
        {
            Directory.CreateDirectory(_directory);
            foreach (string leftover in Directory.EnumerateFiles(_directory, TemporaryPrefix + "*"))
                File.Delete(leftover);
            for (int first = 0; first < FanOut; first++)
                ListFan(first.ToString("x2", CultureInfo.InvariantCulture));
            return true;
        });
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
            return _present.Contains(id);
    }

    /// <inheritdoc/>
    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        ChunkId id = chunk.Id;
        if (Contains(id))
            return true;

        using PooledBuffer buffer = new(EncodedChunk.MaxRecordLength);
        if (!chunk.TryDecode(buffer.Span, out reason))
            return false;

        chunk.CopyTo(buffer.Span);
        ReadOnlyMemory<byte> record = buffer.Memory[..chunk.RecordLength];
        Guarded("write to", () => Write(PathOf(id), record.Span));
        lock (_lock)
            _present.Add(id);
        return true;
    }

    /// <inheritdoc/>
    public bool TryRead(in ChunkId id, Span<byte> destination, out int length)
    {
        length = 0;
        if (!Contains(id))
            return false;

        // spec: SNAP-24
        using PooledBuffer buffer = new(EncodedChunk.MaxRecordLength);
        string path = PathOf(id);
        Memory<byte> record = buffer.Memory;
        int read = Guarded("read from", () => Read(path, record.Span));
        if (EncodedChunk.TryParse(record[..read], out EncodedChunk chunk, out _) && chunk.Id == id && chunk.TryDecode(destination, out _))
        {
            length = chunk.Length;
            return true;
        }

        Forget(id, path);
        return false;
    }

    private void ListFan(string first)
    {
        DirectoryInfo fan = Directory.CreateDirectory(Path.Combine(_directory, first));
        Span<byte> digest = stackalloc byte[ChunkId.Size];
        foreach (FileInfo file in fan.EnumerateFiles())
        {
            if (Convert.FromHexString(first + file.Name, digest, out _, out int written) == System.Buffers.OperationStatus.Done
                && ChunkId.TryParse(digest[..written], out ChunkId id))
            {
                _present.Add(id);
            }
        }
    }

    private bool Write(string path, ReadOnlySpan<byte> record)
    {
        string temporary = Path.Combine(_directory, TemporaryPrefix + Interlocked.Increment(ref _temporaries));
        using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.Read))
            RandomAccess.Write(file, record, 0);
        File.Move(temporary, path, overwrite: true);
        return true;
    }

    /// <summary>Reads a record; none when the file is gone.</summary>
    private static int Read(string path, Span<byte> record)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            int total = 0;
            while (total < record.Length && RandomAccess.Read(file, record[total..], total) is var read and > 0)
                total += read;
            return total;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    private void Forget(in ChunkId id, string path)
    {
        lock (_lock)
            _present.Remove(id);
        Guarded("remove a spoiled chunk from", () =>
        {
            File.Delete(path);
            return true;
        });
    }

    private string PathOf(in ChunkId id)
    {
        string name = id.ToString();
        return Path.Combine(_directory, name[..2], name[2..]);
    }

    private T Guarded<T>(string action, Func<T> operation)
    {
        try
        {
            return operation();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotException($"Cannot {action} the chunk store {_directory}: {exception.Message}", exception);
        }
    }
}
