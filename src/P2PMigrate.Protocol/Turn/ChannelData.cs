using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// A datagram of a channel (RFC 8656, section 12.4): number and length of two bytes each, then the datagram. Over UDP nothing follows it.
/// </summary>
// spec: TURN-06
internal static class ChannelData
{
    /// <summary>Bytes before the datagram.</summary>
    public const int HeaderSize = 4;

    /// <summary>The lowest number.</summary>
    public const ushort First = 0x4000;

    /// <summary>The highest number.</summary>
    public const ushort Last = 0x4FFF;

    /// <summary>Reads one. What stands behind it, up to three bytes of padding, is left out.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out ushort channel, out ReadOnlySpan<byte> data)
    {
        channel = 0;
        data = default;
        if (datagram.Length <= HeaderSize)
            return false;
        channel = BinaryPrimitives.ReadUInt16BigEndian(datagram);
        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        int rest = datagram.Length - HeaderSize - length;
        if (channel is < First or > Last || length == 0 || rest is < 0 or > 3)
            return false;
        data = datagram.Slice(HeaderSize, length);
        return true;
    }

    /// <summary>Writes the four bytes before a datagram.</summary>
    public static void WriteHeader(Span<byte> destination, ushort channel, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, channel);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)length);
    }
}
