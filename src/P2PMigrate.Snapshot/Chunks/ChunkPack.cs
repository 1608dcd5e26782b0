using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Two files that are only ever appended to: payloads one after the other, and an index of fixed-size entries that say what they are. Any number of
/// processes may read a pack while one writes to it, and go on reading when somebody has removed it: an open file keeps what it holds. The owner sees to it that one
/// of its threads appends at a time; reading needs no care.
/// </summary>
// spec: SNAP-106
internal sealed class ChunkPack : IDisposable
{
    /// <summary>Beyond this a pack is full.</summary>
    public const long MaxLength = 64L << 20;

    private readonly string _path;
    private readonly SafeFileHandle _index;
    private readonly SafeFileHandle _payloads;
    private long _indexLength;
    private long _length;

    private ChunkPack(string path, SafeFileHandle index, SafeFileHandle payloads) => (_path, _index, _payloads) = (path, index, payloads);

    /// <summary>Was anything looked for here found? Then <see cref="Dispose"/> says so to whoever evicts.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Is it time to begin another?</summary>
    public bool IsFull => _length + _indexLength >= MaxLength;

    /// <summary>Opens what lies at <paramref name="path"/> (without its ending), to be read; null when it is not there any more.</summary>
    public static ChunkPack? TryOpen(string path)
    {
        SafeFileHandle? index = NativeFile.TryOpen(path + ChunkPackFiles.IndexEnding, OpenFlags.ReadWrite);
        SafeFileHandle? payloads = index is null ? null : NativeFile.TryOpen(path + ChunkPackFiles.PayloadEnding, OpenFlags.ReadWrite);
        if (payloads is not null)
            return new ChunkPack(path, index!, payloads);
        index?.Dispose();
        return null;
    }

    /// <summary>Makes a new pack, to be written by this process alone.</summary>
    public static ChunkPack Create(string directory)
    {
        const int Flags = OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive;
        string path = Path.Combine(directory, ChunkPackFiles.NewName());
        var pack = new ChunkPack(
            path, NativeFile.Open(path + ChunkPackFiles.IndexEnding, Flags), NativeFile.Open(path + ChunkPackFiles.PayloadEnding, Flags));
        _ = NativeFile.TryLock(pack._index);
        return pack;
    }

    /// <summary>
    /// Makes this process the only one that appends, until it ends or disposes of the pack. What a crash left half written is cut off. False when another one does, when the pack
    /// is full, or when it was removed.
    /// </summary>
    public bool TryBecomeWriter()
    {
        if (IsFull || !NativeFile.TryLock(_index) || !File.Exists(_path + ChunkPackFiles.IndexEnding))
            return false;
        _indexLength = RandomAccess.GetLength(_index) / ChunkPackEntry.Size * ChunkPackEntry.Size;
        RandomAccess.SetLength(_index, _indexLength);
        _length = RandomAccess.GetLength(_payloads);
        return !IsFull;
    }

    /// <summary>What the index lists and the payloads may hold; to be called once. Only reading a chunk proves that it is there.</summary>
    public IEnumerable<(ChunkId Id, PackedChunk Place)> List()
    {
        _length = RandomAccess.GetLength(_payloads);
        _indexLength = RandomAccess.GetLength(_index);
        byte[] entries = new byte[(int)Math.Min(_indexLength, 2 * MaxLength)];
        int read = Fill(_index, entries, 0);
        for (int offset = 0; offset + ChunkPackEntry.Size <= read; offset += ChunkPackEntry.Size)
        {
            if (ChunkPackEntry.TryRead(entries.AsSpan(offset, ChunkPackEntry.Size), _length, out ChunkPackEntry entry))
                yield return (entry.Id, new PackedChunk(this, offset, entry.Offset, entry.PayloadLength, entry.Length));
        }
    }

    /// <summary>Adds a chunk. The payload is there before the entry says so.</summary>
    public PackedChunk Append(in EncodedChunk chunk)
    {
        RandomAccess.Write(_payloads, chunk.Payload.Span, _length);
        var place = new PackedChunk(this, _indexLength, _length, chunk.Payload.Length, chunk.Length);
        Span<byte> entry = stackalloc byte[ChunkPackEntry.Size];
        new ChunkPackEntry(chunk.Id, _length, chunk.Payload.Length, chunk.Length).Write(entry);
        RandomAccess.Write(_index, entry, _indexLength);
        _length += chunk.Payload.Length;
        _indexLength += ChunkPackEntry.Size;
        return place;
    }

    /// <summary>Fills <paramref name="payload"/> from <paramref name="offset"/>; returns less than its length where the file ends.</summary>
    public int Read(long offset, Span<byte> payload) => Fill(_payloads, payload, offset);

    /// <summary>Takes a spoiled chunk from the index, so that it is not listed again.</summary>
    public void Erase(in PackedChunk place) => RandomAccess.Write(_index, new byte[ChunkPackEntry.Size], place.EntryOffset);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsUsed)
            ChunkPackFiles.MarkUsed(_path);
        _index.Dispose();
        _payloads.Dispose();
    }

    private static int Fill(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        int total = 0;
        while (total < bytes.Length && RandomAccess.Read(file, bytes[total..], offset + total) is var read and > 0)
            total += read;
        return total;
    }
}

/// <summary>Where a chunk lies.</summary>
/// <param name="Pack">In which pack.</param>
/// <param name="EntryOffset">Where in the index its entry is.</param>
/// <param name="Offset">Where its payload begins.</param>
/// <param name="PayloadLength">How long that is.</param>
/// <param name="Length">How long the content is.</param>
internal readonly record struct PackedChunk(ChunkPack Pack, long EntryOffset, long Offset, int PayloadLength, int Length);
