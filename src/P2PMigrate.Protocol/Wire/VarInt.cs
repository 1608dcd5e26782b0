using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// QUIC's variable-length integers (RFC 9000 section 16): big-endian, the two top bits of the first byte give the
/// length (1, 2, 4 or 8 bytes), values up to 2^62 - 1. Longer encodings than needed are accepted.
/// </summary>
public static class VarInt
{
    /// <summary>The largest value.</summary>
    public const ulong MaxValue = (1UL << 62) - 1;

    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 8;

    /// <summary>Bytes that <paramref name="value"/> takes.</summary>
    public static int LengthOf(ulong value) => value switch
    {
        < 1UL << 6 => 1,
        < 1UL << 14 => 2,
        < 1UL << 30 => 4,
        <= MaxValue => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };

    /// <summary>Reads a value from the start of <paramref name="source"/>; false when it is cut short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out ulong value, out int length)
    {
        value = 0;
        length = source.IsEmpty ? 1 : 1 << (source[0] >> 6);
        if (source.Length < length)
            return false;
        value = length switch
        {
            1 => source[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3FFFUL,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3FFF_FFFFUL,
            _ => BinaryPrimitives.ReadUInt64BigEndian(source) & MaxValue,
        };
        return true;
    }

    /// <summary>Writes the shortest encoding and returns its length.</summary>
    public static int Write(Span<byte> destination, ulong value)
    {
        int length = LengthOf(value);
        switch (length)
        {
            case 1:
                destination[0] = (byte)value;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                break;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)value | 0x8000_0000);
                break;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(destination, value | 0xC000_0000_0000_0000);
                break;
        }

        return length;
    }
}
