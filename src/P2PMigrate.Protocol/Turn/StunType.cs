using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Turn;

/// <summary>What a STUN message is about; the values are those on the wire (RFC 8489, RFC 8656).</summary>
internal enum StunMethod : ushort
{
    /// <summary>Nothing but to be seen.</summary>
    Binding = 0x001,

    /// <summary>An allocation is wanted.</summary>
    Allocate = 0x003,

    /// <summary>An allocation is to live longer, or to end.</summary>
    Refresh = 0x004,

    /// <summary>To the server: send this to a peer.</summary>
    Send = 0x006,

    /// <summary>From the server: this came from a peer.</summary>
    Data = 0x007,

    /// <summary>A host may send to the relayed address.</summary>
    CreatePermission = 0x008,

    /// <summary>A number stands for a peer from now on.</summary>
    ChannelBind = 0x009,
}

/// <summary>The role of a STUN message; the values are the two bits of the class.</summary>
internal enum StunClass : byte
{
    /// <summary>Wants an answer.</summary>
    Request = 0,

    /// <summary>Wants none.</summary>
    Indication = 1,

    /// <summary>Grants a request.</summary>
    Success = 2,

    /// <summary>Refuses a request.</summary>
    Error = 3,
}

/// <summary>What a STUN attribute holds; the values are those on the wire. Values below 0x8000 must be understood.</summary>
internal enum StunAttribute : ushort
{
    /// <summary>Who asks.</summary>
    Username = 0x0006,

    /// <summary>HMAC-SHA1 of what stands before it.</summary>
    MessageIntegrity = 0x0008,

    /// <summary>Why not: class and number, and words.</summary>
    ErrorCode = 0x0009,

    /// <summary>Attributes that the server does not understand.</summary>
    UnknownAttributes = 0x000A,

    /// <summary>The number of a channel.</summary>
    ChannelNumber = 0x000C,

    /// <summary>Seconds that an allocation lives.</summary>
    Lifetime = 0x000D,

    /// <summary>The address of a peer.</summary>
    XorPeerAddress = 0x0012,

    /// <summary>The datagram of a peer.</summary>
    Data = 0x0013,

    /// <summary>The domain in which a name and a password are good.</summary>
    Realm = 0x0014,

    /// <summary>What makes an old request worthless.</summary>
    Nonce = 0x0015,

    /// <summary>The address that an allocation has for peers.</summary>
    XorRelayedAddress = 0x0016,

    /// <summary>By which protocol the allocation talks with peers.</summary>
    RequestedTransport = 0x0019,

    /// <summary>HMAC-SHA256 of what stands before it.</summary>
    MessageIntegritySha256 = 0x001C,

    /// <summary>The address from which the server saw a request come.</summary>
    XorMappedAddress = 0x0020,

    /// <summary>Names the program.</summary>
    Software = 0x8022,

    /// <summary>Another server, which shall be asked.</summary>
    AlternateServer = 0x8023,

    /// <summary>CRC-32 of the message: it is STUN and nothing else.</summary>
    Fingerprint = 0x8028,
}

/// <summary>Twelve bytes that nobody can guess: an answer names its request by them.</summary>
internal readonly record struct StunTransactionId(ulong First, uint Last)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 12;

    /// <summary>Makes a new one.</summary>
    public static StunTransactionId Create(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        return From(bytes);
    }

    /// <summary>Reads 12 bytes.</summary>
    public static StunTransactionId From(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    /// <summary>Writes 12 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, First);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Last);
    }
}
