using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>The two requests of RFC 6886, sections 3.2 and 3.3. They go to the same port as PCP's.</summary>
internal static class NatPmp
{
    /// <summary>The version of RFC 6886.</summary>
    public const byte Version = 0;

    /// <summary>The opcode that asks for the gateway's outside address.</summary>
    public const byte AddressOpcode = 0;

    /// <summary>The opcode that maps a UDP port.</summary>
    public const byte MapUdpOpcode = 1;

    /// <summary>Where gateways announce that they have begun anew: to all hosts of the network, at this port.</summary>
    public const ushort AnnouncementPort = 5350;

    /// <summary>Asks for the gateway's outside address.</summary>
    public static byte[] AddressRequest() => [Version, AddressOpcode];

    /// <summary>Asks for a mapping, or with a lifetime of 0 for its end.</summary>
    public static byte[] MapRequest(ushort internalPort, ushort suggestedExternalPort, uint lifetimeSeconds)
    {
        byte[] bytes = new byte[12];
        bytes[1] = MapUdpOpcode;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), suggestedExternalPort);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), lifetimeSeconds);
        return bytes;
    }
}

/// <summary>A response of RFC 6886, sections 3.2, 3.3 and 3.5. A failed one may be as short as 8 bytes.</summary>
internal readonly record struct NatPmpResponse
{
    private const byte ResponseBit = 0x80;
    private const int ErrorSize = 8;
    private const int AddressSize = 12;
    private const int MapSize = 16;

    /// <summary>The request that it answers.</summary>
    public byte Opcode { get; private init; }

    /// <summary>What the gateway thinks of it.</summary>
    public NatPmpResult Result { get; private init; }

    /// <summary>Seconds since the gateway began to remember.</summary>
    public uint Epoch { get; private init; }

    /// <summary>The gateway's outside address, of a successful answer to that question; without a port.</summary>
    public NetworkAddress ExternalHost { get; private init; }

    /// <summary>Of this peer, of a successful mapping.</summary>
    public ushort InternalPort { get; private init; }

    /// <summary>Of the gateway, of a successful mapping.</summary>
    public ushort ExternalPort { get; private init; }

    /// <summary>How long the mapping holds.</summary>
    public uint LifetimeSeconds { get; private init; }

    /// <summary>Reads a datagram of a gateway's port 5351.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out NatPmpResponse response, out Refusal refusal)
    {
        response = default;
        refusal = Check(datagram);
        if (refusal != Refusal.None)
            return false;
        response = new NatPmpResponse
        {
            Opcode = (byte)(datagram[1] & ~ResponseBit),
            Result = (NatPmpResult)BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]),
            Epoch = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]),
        };
        if (response.Result != NatPmpResult.Success)
            return true;
        response = response.Opcode == NatPmp.AddressOpcode
            ? response with { ExternalHost = NetworkAddress.FromBytes(datagram.Slice(8, 4), 0) }
            : response with
            {
                InternalPort = BinaryPrimitives.ReadUInt16BigEndian(datagram[8..]),
                ExternalPort = BinaryPrimitives.ReadUInt16BigEndian(datagram[10..]),
                LifetimeSeconds = BinaryPrimitives.ReadUInt32BigEndian(datagram[12..]),
            };
        return true;
    }

    private static Refusal Check(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < ErrorSize)
            return Refusal.Truncated;
        if (datagram[0] != NatPmp.Version)
            return Refusal.UnknownVersion;
        if (datagram[1] is not (ResponseBit | NatPmp.AddressOpcode) and not (ResponseBit | NatPmp.MapUdpOpcode))
            return Refusal.WrongType;
        bool isSuccess = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) == (ushort)NatPmpResult.Success;
        int size = !isSuccess ? ErrorSize : datagram[1] == (ResponseBit | NatPmp.AddressOpcode) ? AddressSize : MapSize;
        return datagram.Length >= size ? Refusal.None : Refusal.Truncated;
    }
}

/// <summary>What a NAT-PMP server says to a request: RFC 6886, section 3.5.</summary>
internal enum NatPmpResult : ushort
{
    Success = 0,
    UnsupportedVersion = 1,
    NotAuthorized = 2,
    NetworkFailure = 3,
    OutOfResources = 4,
    UnsupportedOpcode = 5,
}

/// <summary>Words for it.</summary>
internal static class NatPmpResultText
{
    /// <summary>Does it pass by itself, so that asking again later may help?</summary>
    public static bool IsPassing(this NatPmpResult result) => result is NatPmpResult.NetworkFailure or NatPmpResult.OutOfResources;

    /// <summary>One sentence that a person can read in a log.</summary>
    public static string ToSentence(this NatPmpResult result) => result switch
    {
        NatPmpResult.Success => "The gateway mapped the port.",
        NatPmpResult.UnsupportedVersion => "The gateway does not speak this version of NAT-PMP.",
        NatPmpResult.NotAuthorized => "The gateway does not let this machine map ports by NAT-PMP; look for a setting of that name.",
        NatPmpResult.NetworkFailure => "The gateway has no connection of its own at the moment.",
        NatPmpResult.OutOfResources => "The gateway has no room for another mapping at the moment.",
        NatPmpResult.UnsupportedOpcode => "The gateway's NAT-PMP maps no UDP ports.",
        _ => $"The gateway refused NAT-PMP with the unknown code {(ushort)result}.",
    };
}
