using System.Buffers.Binary;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>What the index of a pack says of one chunk: u64 offset, u32 payload length, u32 length, digest; little-endian. Zeros are no chunk.</summary>
// spec: SNAP-106
internal readonly record struct ChunkPackEntry(ChunkId Id, long Offset, int PayloadLength, int Length)
{
    /// <summary>Bytes of an entry.</summary>
    public const int Size = sizeof(ulong) + sizeof(uint) + sizeof(uint) + ChunkId.Size;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> entry)
    {
        BinaryPrimitives.WriteInt64LittleEndian(entry, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], PayloadLength);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], Length);
        ChunkId id = Id;
        ((ReadOnlySpan<byte>)id).CopyTo(entry[16..]);
    }

    /// <summary>Reads an entry; false for one that is no chunk, or no chunk of payloads that end at <paramref name="end"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, long end, out ChunkPackEntry entry)
    {
        _ = ChunkId.TryParse(bytes[16..Size], out ChunkId id);
        entry = new ChunkPackEntry(
            id, BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));
        return entry.Length is > 0 and <= SnapshotLimits.ChunkLength
            && entry.PayloadLength > 0 && entry.PayloadLength <= entry.Length
            && entry.Offset >= 0 && entry.Offset <= end - entry.PayloadLength;
    }
}
