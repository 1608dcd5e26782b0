using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// The MAP request of RFC 6887, sections 7.1 and 11.1, for UDP and without options: 60 bytes.
/// <code>
/// version 2 (1) | opcode (1) | 0 (2) | lifetime (4) | client address (16)
/// nonce (12) | protocol 17 (1) | 0 (3) | internal port (2) | suggested external port (2) | suggested external address (16)
/// </code>
/// </summary>
internal readonly record struct PcpMapRequest(NetworkAddress Internal, PcpNonce Nonce, uint LifetimeSeconds, NetworkAddress Suggested)
{
    /// <summary>Bytes of the request.</summary>
    public const int Size = Pcp.HeaderSize + Pcp.MapSize;

    /// <summary>Writes it.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        bytes[0] = Pcp.Version;
        bytes[1] = Pcp.MapOpcode;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), LifetimeSeconds);
        Pcp.WriteAddress(bytes.AsSpan(8, 16), Internal);
        Nonce.CopyTo(bytes.AsSpan(24));
        bytes[36] = Pcp.Udp;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(40), Internal.Port);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(42), Suggested.Port);
        Pcp.WriteAddress(bytes.AsSpan(44, 16), Suggested);
        return bytes;
    }
}

/// <summary>A response of RFC 6887, sections 7.2, 11.1 and 14.1: to MAP, or an announcement of the epoch.</summary>
internal readonly record struct PcpResponse
{
    /// <summary>The longest message that the protocol allows.</summary>
    public const int MaxSize = 1100;

    /// <summary>Does it say what became of a mapping? Otherwise it only announces the epoch.</summary>
    public bool IsMap { get; private init; }

    /// <summary>What the gateway thinks of the request.</summary>
    public PcpResult Result { get; private init; }

    /// <summary>How long the mapping holds, or how long an error does.</summary>
    public uint LifetimeSeconds { get; private init; }

    /// <summary>Seconds since the gateway began to remember.</summary>
    public uint Epoch { get; private init; }

    /// <summary>The requester's secret for this mapping.</summary>
    public PcpNonce Nonce { get; private init; }

    /// <summary>Of this peer.</summary>
    public ushort InternalPort { get; private init; }

    /// <summary>Of the gateway; none when it gave an address that is none.</summary>
    public NetworkAddress External { get; private init; }

    /// <summary>Reads a datagram of a gateway's port 5351; options are skipped.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out PcpResponse response, out Refusal refusal)
    {
        response = default;
        refusal = Check(datagram);
        if (refusal != Refusal.None)
            return false;
        response = new PcpResponse
        {
            IsMap = datagram[1] == (Pcp.ResponseBit | Pcp.MapOpcode),
            Result = (PcpResult)datagram[3],
            LifetimeSeconds = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]),
            Epoch = BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]),
        };
        if (!response.IsMap)
            return true;
        ushort externalPort = BinaryPrimitives.ReadUInt16BigEndian(datagram[42..]);
        response = response with
        {
            Nonce = PcpNonce.From(datagram[24..]),
            InternalPort = BinaryPrimitives.ReadUInt16BigEndian(datagram[40..]),
            External = NetworkAddress.FromBytes(datagram.Slice(44, 16), externalPort),
        };
        return true;
    }

    private static Refusal Check(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < Pcp.HeaderSize)
            return Refusal.Truncated;
        if (datagram.Length > MaxSize)
            return Refusal.OverLimit;
        if (datagram[0] != Pcp.Version)
            return Refusal.UnknownVersion;
        if (datagram[1] is not (Pcp.ResponseBit | Pcp.MapOpcode) and not (Pcp.ResponseBit | Pcp.AnnounceOpcode))
            return Refusal.WrongType;
        if (datagram[1] == (Pcp.ResponseBit | Pcp.AnnounceOpcode))
            return Refusal.None;
        if (datagram.Length < Pcp.HeaderSize + Pcp.MapSize)
            return Refusal.Truncated;
        return datagram[36] == Pcp.Udp ? Refusal.None : Refusal.BadValue;
    }
}

/// <summary>What both directions of RFC 6887 have in common.</summary>
internal static class Pcp
{
    /// <summary>The port of PCP and NAT-PMP servers.</summary>
    public const ushort ServerPort = 5351;

    /// <summary>The version of RFC 6887.</summary>
    public const byte Version = 2;

    /// <summary>Set in the opcode of a response.</summary>
    public const byte ResponseBit = 0x80;

    /// <summary>The opcode that only asks for the epoch, or tells it.</summary>
    public const byte AnnounceOpcode = 0;

    /// <summary>The opcode of mappings.</summary>
    public const byte MapOpcode = 1;

    /// <summary>Of UDP among the internet's protocols.</summary>
    public const byte Udp = 17;

    /// <summary>Bytes of the common header.</summary>
    public const int HeaderSize = 24;

    /// <summary>Bytes that belong to MAP.</summary>
    public const int MapSize = 36;

    /// <summary>A request for the epoch and nothing else.</summary>
    public static byte[] AnnounceRequest(NetworkAddress client)
    {
        byte[] bytes = new byte[HeaderSize];
        bytes[0] = Version;
        bytes[1] = AnnounceOpcode;
        WriteAddress(bytes.AsSpan(8, 16), client);
        return bytes;
    }

    /// <summary>Writes 16 bytes: an IPv4 address stands in its mapped form, no address is all zeros of <c>::</c>.</summary>
    public static void WriteAddress(Span<byte> destination, NetworkAddress address)
    {
        destination.Clear();
        if (address.Family == IpFamily.V6)
        {
            address.CopyAddressTo(destination);
        }
        else if (address.Family == IpFamily.V4)
        {
            destination[10] = destination[11] = 0xFF;
            address.CopyAddressTo(destination[12..]);
        }
    }
}

/// <summary>Twelve bytes that nobody can guess: only who knows them may change a mapping (RFC 6887, section 11.2).</summary>
internal readonly record struct PcpNonce(ulong First, uint Last)
{
    /// <summary>Makes a new one.</summary>
    public static PcpNonce Create(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[12];
        entropy.Fill(bytes);
        return From(bytes);
    }

    /// <summary>Reads 12 bytes.</summary>
    public static PcpNonce From(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    /// <summary>Writes 12 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, First);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Last);
    }
}
