using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// A chunk as it travels and as it lies in a store: its name, its length, and its content as an LZ4 block, or raw where
/// that does not pay. The payload is borrowed: it lives as long as the buffer it was made or parsed from. What came from
/// a peer or a disk is only trusted after <see cref="TryDecode"/>. Chapter 10, section 5.
/// </summary>
public readonly struct EncodedChunk
{
    /// <summary>Bytes in front of the payload: u32 length, u32 payload length, digest; little-endian.</summary>
    public const int HeaderSize = sizeof(uint) + sizeof(uint) + ChunkId.Size;

    /// <summary>Bytes of the longest record.</summary>
    public const int MaxRecordLength = HeaderSize + SnapshotLimits.ChunkLength;

    private EncodedChunk(in ChunkId id, int length, ReadOnlyMemory<byte> payload)
    {
        Id = id;
        Length = length;
        Payload = payload;
    }

    /// <summary>The digest that the content is said to have.</summary>
    public ChunkId Id { get; }

    /// <summary>Bytes of the content: 1 to <see cref="SnapshotLimits.ChunkLength"/>.</summary>
    public int Length { get; }

    /// <summary>The content, compressed when this is shorter than <see cref="Length"/>.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Is the payload the content as it is?</summary>
    public bool IsRaw => Payload.Length == Length;

    /// <summary>Bytes that <see cref="WriteTo"/> writes.</summary>
    public int RecordLength => HeaderSize + Payload.Length;

    /// <summary>Encodes <paramref name="content"/> into a buffer of its own.</summary>
    public static EncodedChunk Encode(ReadOnlySpan<byte> content) =>
        Encode(ChunkId.Of(content), content, new byte[content.Length]);

    /// <summary>
    /// Encodes <paramref name="content"/>, whose digest is <paramref name="id"/>, into <paramref name="buffer"/>, which
    /// is at least as long as the content and must live as long as the result.
    /// </summary>
    public static EncodedChunk Encode(in ChunkId id, ReadOnlySpan<byte> content, Memory<byte> buffer)
    {
        Debug.Assert(content.Length is > 0 and <= SnapshotLimits.ChunkLength, "a chunk has 1 byte to ChunkLength");
        int length = Lz4Block.Encode(content, buffer.Span);
        return new EncodedChunk(id, content.Length, buffer[..length]);
    }

    /// <summary>A chunk that is not compressed. It borrows <paramref name="content"/>, whose digest is <paramref name="id"/>.</summary>
    public static EncodedChunk Raw(in ChunkId id, ReadOnlyMemory<byte> content)
    {
        Debug.Assert(content.Length is > 0 and <= SnapshotLimits.ChunkLength, "a chunk has 1 byte to ChunkLength");
        return new EncodedChunk(id, content.Length, content);
    }

    /// <summary>The same chunk, compressed where it was not and that makes it shorter. It may borrow <paramref name="buffer"/>, which is at least as long as the content.</summary>
    public EncodedChunk Pack(Memory<byte> buffer) => IsRaw ? Encode(Id, Payload.Span, buffer) : this;

    /// <summary>A chunk whose parts are kept apart: its lengths are within bounds, nothing else is certain.</summary>
    internal static EncodedChunk OfParts(in ChunkId id, int length, ReadOnlyMemory<byte> payload) => new(id, length, payload);

    /// <summary>
    /// Decodes into <paramref name="destination"/>, which has room for <see cref="Length"/> bytes, and verifies the
    /// digest. False, with a reason and rubbish in the destination, for anything that is not the content it claims to be.
    /// </summary>
    public bool TryDecode(Span<byte> destination, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-22
        Span<byte> content = destination[..Length];
        if (!Lz4Block.TryDecode(Payload.Span, content))
            reason = $"chunk {Id} is no LZ4 block of the length it claims";
        else if (ChunkId.Of(content) != Id)
            reason = $"chunk {Id} does not have the digest that names it";
        else
            reason = null;
        return reason is null;
    }

    /// <summary>Writes the record: header and payload.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        Span<byte> record = output.GetSpan(RecordLength);
        CopyTo(record);
        output.Advance(RecordLength);
    }

    /// <summary>Writes the record into the beginning of <paramref name="record"/>.</summary>
    public void CopyTo(Span<byte> record)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)Payload.Length);
        ChunkId id = Id;
        ((ReadOnlySpan<byte>)id).CopyTo(record[8..]);
        Payload.Span.CopyTo(record[HeaderSize..]);
    }

    /// <summary>
    /// Reads the record at the beginning of <paramref name="bytes"/>; the chunk borrows them, the next record follows after
    /// <see cref="RecordLength"/>. False, with a reason, for anything cut short or out of bounds. The digest is not verified yet.
    /// </summary>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, out EncodedChunk chunk, [NotNullWhen(false)] out string? reason)
    {
        chunk = default;
        reason = "a chunk is cut short";
        if (bytes.Length < HeaderSize)
            return false;

        if (!TryReadHeader(bytes.Span, out ChunkId id, out int length, out int payload))
            reason = "a chunk's lengths are out of bounds";
        else if (bytes.Length - HeaderSize >= payload)
            reason = null;
        if (reason is null)
            chunk = new EncodedChunk(id, length, bytes.Slice(HeaderSize, payload));
        return reason is null;
    }

    /// <summary>Reads the <see cref="HeaderSize"/> bytes in front of a payload; false when they are out of bounds.</summary>
    private static bool TryReadHeader(ReadOnlySpan<byte> header, out ChunkId id, out int length, out int payloadLength)
    {
        // spec: SNAP-20
        uint claimedLength = BinaryPrimitives.ReadUInt32LittleEndian(header);
        uint claimedPayload = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        _ = ChunkId.TryParse(header[8..HeaderSize], out id);
        (length, payloadLength) = (unchecked((int)claimedLength), unchecked((int)claimedPayload));
        return claimedLength is > 0 and <= SnapshotLimits.ChunkLength && claimedPayload is > 0 && claimedPayload <= claimedLength;
    }
}
