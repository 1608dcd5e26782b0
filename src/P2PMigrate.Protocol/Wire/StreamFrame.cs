using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// A stream range: type, stream id, offset, length, bytes. The parsed <see cref="Data"/> is part of the packet's buffer.
/// </summary>
public readonly ref struct StreamFrame(StreamId stream, ulong offset, ReadOnlySpan<byte> data, bool isFinal)
{
    /// <summary>Most bytes that come before the data.</summary>
    public const int MaxOverhead = 1 + VarInt.MaxLength + VarInt.MaxLength + LengthSize;

    // The length is always written in two bytes, so that it can be filled in after the data.
    private const int LengthSize = 2;

    /// <summary>Whose bytes these are.</summary>
    public StreamId Stream { get; } = stream;

    /// <summary>Where the first byte stands in the stream.</summary>
    public ulong Offset { get; } = offset;

    /// <summary>The bytes; may be empty when <see cref="IsFinal"/>.</summary>
    public ReadOnlySpan<byte> Data { get; } = data;

    /// <summary>Does the stream end after these bytes?</summary>
    public bool IsFinal { get; } = isFinal;

    /// <summary>Bytes in front of the data for this stream and offset.</summary>
    public static int OverheadOf(StreamId stream, ulong offset) =>
        1 + VarInt.LengthOf(stream.Value) + VarInt.LengthOf(offset) + LengthSize;

    /// <summary>Writes everything but the data; the caller appends exactly <paramref name="length"/> bytes.</summary>
    public static void WriteHead(ref WireWriter writer, StreamId stream, ulong offset, int length, bool isFinal)
    {
        writer.WriteByte((byte)(isFinal ? FrameType.StreamFin : FrameType.Stream));
        writer.WriteVarInt(stream.Value);
        writer.WriteVarInt(offset);
        writer.WriteByte((byte)(0x40 | length >> 8));
        writer.WriteByte((byte)length);
    }

    /// <summary>Reads what follows the type byte. Refuses a range that reaches beyond 2^62 - 1.</summary>
    // spec: STR-12
    public static bool TryParse(ref WireReader reader, bool isFinal, out StreamFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out ulong id) || !StreamId.TryFrom(id, out StreamId stream))
            return false;
        if (!reader.TryReadVarInt(out ulong offset) || !reader.TryReadPrefixed(ushort.MaxValue, out ReadOnlySpan<byte> data))
            return false;
        if (offset + (ulong)data.Length > VarInt.MaxValue)
            return false;
        frame = new(stream, offset, data, isFinal);
        return true;
    }
}
