using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>What the three handshake datagrams have in common: type, three zero bytes, the initiator's connection id.</summary>
/// <remarks>spec: HS-02. All sizes are fixed: lengths tell an observer nothing.</remarks>
internal static class HandshakeHeader
{
    /// <summary>Bytes of the common part.</summary>
    public const int Size = 12;

    /// <summary>Bytes of the encrypted payloads of messages 1 and 2, padding included.</summary>
    public const int PayloadSize = 640;

    /// <summary>Writes the common part.</summary>
    public static void Write(Span<byte> datagram, byte type, ConnectionId initiator)
    {
        datagram[..4].Clear();
        datagram[0] = type;
        BinaryPrimitives.WriteUInt64LittleEndian(datagram[4..], initiator.Value);
    }

    /// <summary>Checks type, length and reserved bytes, and reads the id.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, byte type, int size, out ConnectionId initiator, out Refusal refusal)
    {
        refusal = datagram.Length < size ? Refusal.Truncated
            : datagram.Length > size ? Refusal.TrailingBytes
            : datagram[0] != type ? Refusal.WrongType
            : datagram[1..4].IndexOfAnyExcept((byte)0) >= 0 ? Refusal.ReservedNotZero
            : Refusal.None;
        initiator = refusal == Refusal.None ? new(BinaryPrimitives.ReadUInt64LittleEndian(datagram[4..])) : default;
        return refusal == Refusal.None;
    }
}

/// <summary>Where the parts of message 1 lie.</summary>
public static class HandshakeInit
{
    // 0 header | 12 Noise message 1 (32 e, 48 sealed s, 656 sealed payload) | 748 mac 1 | 764 mac 2 | 780

    /// <summary>Bytes of the datagram.</summary>
    public const int Size = Mac2Offset + MessageMac.Size;

    internal const int Mac1Offset = HandshakeHeader.Size + NoiseHandshake.Message1Overhead + HandshakeHeader.PayloadSize;
    internal const int Mac2Offset = Mac1Offset + MessageMac.Size;

    internal static ReadOnlySpan<byte> Noise(ReadOnlySpan<byte> datagram) => datagram[HandshakeHeader.Size..Mac1Offset];

    internal static Span<byte> Noise(Span<byte> datagram) => datagram[HandshakeHeader.Size..Mac1Offset];

    internal static ReadOnlySpan<byte> Mac1(ReadOnlySpan<byte> datagram) => datagram[Mac1Offset..Mac2Offset];

    internal static ReadOnlySpan<byte> Mac2(ReadOnlySpan<byte> datagram) => datagram[Mac2Offset..Size];

    /// <summary>What both sides mix in first: the protocol's version and the part of message 1 that travels in clear.</summary>
    internal static byte[] Prologue(ReadOnlySpan<byte> datagram) =>
        [.. "p2pmigrate 1 handshake "u8, .. datagram[..HandshakeHeader.Size]]; // spec: HS-11
}

/// <summary>Where the parts of message 2 lie.</summary>
public static class HandshakeResponse
{
    // 0 header | 12 Noise message 2 (32 e, 656 sealed payload) | 700 mac 1 | 716

    /// <summary>Bytes of the datagram; less than <see cref="HandshakeInit.Size"/>, so that answering amplifies nothing.</summary>
    public const int Size = Mac1Offset + MessageMac.Size;

    internal const int Mac1Offset = HandshakeHeader.Size + NoiseHandshake.Message2Overhead + HandshakeHeader.PayloadSize;

    internal static ReadOnlySpan<byte> Noise(ReadOnlySpan<byte> datagram) => datagram[HandshakeHeader.Size..Mac1Offset];

    internal static Span<byte> Noise(Span<byte> datagram) => datagram[HandshakeHeader.Size..Mac1Offset];

    internal static ReadOnlySpan<byte> Mac1(ReadOnlySpan<byte> datagram) => datagram[Mac1Offset..Size];
}

/// <summary>Where the parts of a cookie reply lie.</summary>
public static class CookieReply
{
    // 0 header | 12 nonce | 36 sealed cookie (16 and its tag) | 68

    /// <summary>Bytes of the datagram.</summary>
    public const int Size = SealedOffset + Cookie.Size + Cookie.TagSize;

    internal const int NonceOffset = HandshakeHeader.Size;
    internal const int SealedOffset = NonceOffset + Cookie.NonceSize;
}
