namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// What a datagram is, told by its first byte alone, so that one socket can serve the tunnel, the rendezvous, the relay
/// and STUN. The two highest bits are the version (01); the next two are the family; the low four belong to the family.
/// </summary>
/// <remarks>spec: HS-01. A first byte of 0x00–0x3F is STUN (RFC 8489), 0x80–0xFF is reserved.</remarks>
public enum DatagramType
{
    /// <summary>Not ours: dropped without an answer.</summary>
    Unknown = 0,

    /// <summary>A STUN message: the two highest bits are zero.</summary>
    Stun,

    /// <summary>A protected packet: <see cref="PacketHeader"/>, then ciphertext.</summary>
    Packet,

    /// <summary>Handshake message 1, initiator to responder.</summary>
    HandshakeInit,

    /// <summary>Handshake message 2, responder to initiator.</summary>
    HandshakeResponse,

    /// <summary>"Prove your address first": the answer of a responder under load.</summary>
    CookieReply,

    /// <summary>A message between a peer and a rendezvous server; its second byte says which.</summary>
    Rendezvous,

    /// <summary>An 8-byte relay header, then an inner datagram that the relay does not read.</summary>
    RelayFrame,
}

/// <summary>The first bytes of the protocol's datagrams, and how they are told apart.</summary>
public static class FirstByte
{
    /// <summary>A protected packet in an even key phase.</summary>
    public const byte Packet = 0x40;

    /// <summary>The bit of a packet's first byte that carries the key phase.</summary>
    public const byte KeyPhaseBit = 0x08;

    /// <summary>Handshake message 1.</summary>
    public const byte HandshakeInit = 0x51;

    /// <summary>Handshake message 2.</summary>
    public const byte HandshakeResponse = 0x52;

    /// <summary>The cookie reply of a responder under load.</summary>
    public const byte CookieReply = 0x53;

    /// <summary>A rendezvous message.</summary>
    public const byte Rendezvous = 0x60;

    /// <summary>A relay frame.</summary>
    public const byte RelayFrame = 0x70;

    /// <summary>Which kind of datagram is this? Looks at nothing but the first byte; an empty datagram is unknown.</summary>
    public static DatagramType Classify(ReadOnlySpan<byte> datagram) => datagram.IsEmpty ? DatagramType.Unknown : datagram[0] switch
    {
        // spec: HS-01
        < 0x40 => DatagramType.Stun,
        Packet or (Packet | KeyPhaseBit) => DatagramType.Packet,
        HandshakeInit => DatagramType.HandshakeInit,
        HandshakeResponse => DatagramType.HandshakeResponse,
        CookieReply => DatagramType.CookieReply,
        Rendezvous => DatagramType.Rendezvous,
        RelayFrame => DatagramType.RelayFrame,
        _ => DatagramType.Unknown,
    };
}
