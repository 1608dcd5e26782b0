using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// A file of chunk records, one after the other, only ever appended to. The owner sees to it that one thread appends at a
/// time; reading needs no care.
/// </summary>
internal sealed class ChunkPack : IDisposable
{
    /// <summary>Beyond this a new pack is begun.</summary>
    private const long MaxLength = 1L << 30;

    private readonly SafeFileHandle _file;
    private long _length;

    /// <summary>Opens or makes a pack.</summary>
    public ChunkPack(string path) =>
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);

    /// <summary>Is it time to begin another?</summary>
    public bool IsFull => _length >= MaxLength;

    /// <summary>
    /// Goes through the headers of all records; to be called once, before anything is appended. Whatever follows the last
    /// one that is whole was being written when a crash came, and is cut off.
    /// </summary>
    public IEnumerable<(ChunkId Id, PackedChunk Place)> List()
    {
        byte[] header = new byte[EncodedChunk.HeaderSize];
        long end = RandomAccess.GetLength(_file);
        while (Read(_length, header) == header.Length
            && EncodedChunk.TryReadHeader(header, out ChunkId id, out _, out int payload)
            && _length + header.Length + payload <= end)
        {
            PackedChunk place = new(this, _length, header.Length + payload);
            _length += place.Length;
            if (id != default) // erased
                yield return (id, place);
        }

        RandomAccess.SetLength(_file, _length);
    }

    /// <summary>Adds a record at the end.</summary>
    public PackedChunk Append(ReadOnlySpan<byte> record)
    {
        RandomAccess.Write(_file, record, _length);
        PackedChunk place = new(this, _length, record.Length);
        _length += record.Length;
        return place;
    }

    /// <summary>Fills <paramref name="record"/> from <paramref name="offset"/>; returns less than its length where the file ends.</summary>
    public int Read(long offset, Span<byte> record)
    {
        int total = 0;
        while (total < record.Length && RandomAccess.Read(_file, record[total..], offset + total) is var read and > 0)
            total += read;
        return total;
    }

    /// <summary>Takes the name from a spoiled record, so that it is not listed again.</summary>
    public void Erase(long offset) => RandomAccess.Write(_file, new byte[ChunkId.Size], offset + EncodedChunk.HeaderSize - ChunkId.Size);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

/// <summary>Where a record lies.</summary>
/// <param name="Pack">In which pack.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">How long it is, header included.</param>
internal readonly record struct PackedChunk(ChunkPack Pack, long Offset, int Length);
