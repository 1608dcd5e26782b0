using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// A STUN message of somebody else as a view of its bytes (RFC 8489): the header and every attribute lie within it, and its
/// fingerprint fits if it has one. What the attributes hold is looked at when they are asked for.
/// </summary>
/// <remarks>
/// <code>
///  0   2     4        8               20
///  type length cookie   transaction id  attributes: type, length, value, zeros up to a multiple of 4
/// </code>
/// </remarks>
// spec: TURN-02
internal readonly ref struct StunMessage
{
    /// <summary>Bytes before the attributes.</summary>
    public const int HeaderSize = 20;

    /// <summary>Stands in every message.</summary>
    public const uint MagicCookie = 0x2112A442;

    /// <summary>Attributes of one message at most.</summary>
    // spec: CONST-350
    public const int MaxAttributes = 32;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _end; // What stands behind the integrity is not covered by it, and ignored.
    private readonly int _integrityAt;

    private StunMessage(ReadOnlySpan<byte> bytes, int end, int integrityAt, ushort unknown)
    {
        _bytes = bytes;
        (_end, _integrityAt, UnknownAttribute) = (end, integrityAt, unknown);
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        Method = (StunMethod)((type & 0x000F) | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2);
        Class = (StunClass)((type & 0x0010) >> 4 | (type & 0x0100) >> 7);
        Id = StunTransactionId.From(bytes[8..]);
    }

    /// <summary>What it is about; may be a value that nobody knows.</summary>
    public StunMethod Method { get; }

    /// <summary>Its role.</summary>
    public StunClass Class { get; }

    /// <summary>Names the request.</summary>
    public StunTransactionId Id { get; }

    /// <summary>An attribute that must be understood and is not, the first of them; 0 for none.</summary>
    public ushort UnknownAttribute { get; }

    /// <summary>Does it claim to be from somebody who knows the password?</summary>
    public bool ClaimsIntegrity => _integrityAt > 0;

    /// <summary>Class and number of an error, 300 to 699; 0 when there is none.</summary>
    public int ErrorCode => TryFind(StunAttribute.ErrorCode, out ReadOnlySpan<byte> value) && value.Length >= 4 && (value[2] & 7) is >= 3 and <= 6 && value[3] < 100
        ? (value[2] & 7) * 100 + value[3]
        : 0;

    /// <summary>Is that a STUN message and not data of a channel?</summary>
    public static bool IsStun(ReadOnlySpan<byte> datagram) => datagram.Length >= HeaderSize && datagram[0] < 0x40;

    /// <summary>Reads a whole datagram.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StunMessage message, out Refusal refusal)
    {
        message = default;
        refusal = CheckHeader(datagram);
        if (refusal != Refusal.None)
            return false;
        (int end, int integrityAt, ushort unknown) = (datagram.Length, 0, (ushort)0);
        int count = 0;
        for (int at = HeaderSize; at < datagram.Length; count++)
        {
            if (count == MaxAttributes || !TryReadAttribute(datagram[at..], out StunAttribute type, out ReadOnlySpan<byte> value))
            {
                refusal = count == MaxAttributes ? Refusal.OverLimit : Refusal.Truncated;
                return false;
            }

            if (type == StunAttribute.Fingerprint && !StunIntegrity.IsFingerprint(datagram, at, value))
                refusal = Refusal.BadMac;
            else if (integrityAt == 0 && type == StunAttribute.MessageIntegrity)
                (end, integrityAt) = (at, at);
            else if (integrityAt == 0 && unknown == 0 && (ushort)type < 0x8000 && !Enum.IsDefined(type))
                unknown = (ushort)type;
            at += 4 + Padded(value.Length);
        }

        message = new StunMessage(datagram, end, integrityAt, unknown);
        return refusal == Refusal.None;
    }

    /// <summary>The value of the first attribute of a type.</summary>
    public bool TryFind(StunAttribute wanted, out ReadOnlySpan<byte> value)
    {
        value = default;
        for (int at = HeaderSize; at < _end && TryReadAttribute(_bytes[at.._end], out StunAttribute type, out ReadOnlySpan<byte> found); at += 4 + Padded(found.Length))
        {
            if (type != wanted)
                continue;
            value = found;
            return true;
        }

        return false;
    }

    /// <summary>The address in the first attribute of a type, made plain; false when there is none, or it is none.</summary>
    public bool TryFindAddress(StunAttribute wanted, out NetworkAddress address)
    {
        address = default;
        bool isPlain = wanted == StunAttribute.AlternateServer;
        if (!TryFind(wanted, out ReadOnlySpan<byte> value) || value.Length < 4 || value.Length != 4 + (value[1] switch { 1 => 4, 2 => 16, _ => -4 }))
            return false;
        Span<byte> bytes = stackalloc byte[16];
        bytes = bytes[..(value.Length - 4)];
        value[4..].CopyTo(bytes);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(value[2..]);
        for (int i = 0; i < bytes.Length && !isPlain; i++)
            bytes[i] ^= _bytes[4 + i]; // The cookie, then the transaction id.
        address = NetworkAddress.FromBytes(bytes, isPlain ? port : (ushort)(port ^ MagicCookie >> 16));
        return true;
    }

    /// <summary>A number of four bytes.</summary>
    public bool TryFindNumber(StunAttribute wanted, out uint number)
    {
        bool isFound = TryFind(wanted, out ReadOnlySpan<byte> value) && value.Length == 4;
        number = isFound ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;
        return isFound;
    }

    /// <summary>Was the message made by somebody who knows this key, and not altered since?</summary>
    public bool HasIntegrity(ReadOnlySpan<byte> key) => _integrityAt > 0 && StunIntegrity.Verify(_bytes, _integrityAt, key);

    /// <summary>Bytes that a value of this length takes.</summary>
    public static int Padded(int length) => (length + 3) & ~3;

    private static Refusal CheckHeader(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < HeaderSize)
            return Refusal.Truncated;
        if (datagram[0] >= 0x40 || BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) != MagicCookie)
            return Refusal.WrongType;
        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        if (length % 4 != 0)
            return Refusal.BadValue;
        return HeaderSize + length == datagram.Length ? Refusal.None
            : HeaderSize + length > datagram.Length ? Refusal.Truncated : Refusal.TrailingBytes;
    }

    private static bool TryReadAttribute(ReadOnlySpan<byte> bytes, out StunAttribute type, out ReadOnlySpan<byte> value)
    {
        type = default;
        value = default;
        if (bytes.Length < 4)
            return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (4 + Padded(length) > bytes.Length)
            return false;
        type = (StunAttribute)BinaryPrimitives.ReadUInt16BigEndian(bytes);
        value = bytes.Slice(4, length);
        return true;
    }
}
