namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// An application datagram: type, length, bytes. Whole or not at all, never repeated. The parsed <see cref="Data"/> is part
/// of the packet's buffer.
/// </summary>
// spec: STR-50
public readonly ref struct DatagramFrame(ReadOnlySpan<byte> data)
{
    /// <summary>Bytes in front of the data.</summary>
    public const int Overhead = 1 + LengthSize;

    private const int LengthSize = 2;

    /// <summary>The bytes; may be none.</summary>
    public ReadOnlySpan<byte> Data { get; } = data;

    /// <summary>Writes everything but the data; the caller appends exactly <paramref name="length"/> bytes.</summary>
    public static void WriteHead(ref WireWriter writer, int length)
    {
        writer.WriteByte((byte)FrameType.Datagram);
        writer.WriteByte((byte)(0x40 | length >> 8));
        writer.WriteByte((byte)length);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out DatagramFrame frame)
    {
        bool isWhole = reader.TryReadPrefixed(ushort.MaxValue, out ReadOnlySpan<byte> data);
        frame = new(data);
        return isWhole;
    }
}
