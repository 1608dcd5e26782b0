using System.Buffers.Binary;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Network;

/// <summary>
/// Reads what a machine answers by ICMP to a datagram for a UDP port at which no program listens. Anybody may send such a message, so it is
/// a hint and no more.
/// </summary>
// spec: MIG-121
internal static class RefusalNotice
{
    private const int IcmpHeaderLength = 8, UdpHeaderLength = 8, MinHeaderLengthV4 = 20, HeaderLengthV6 = 40;
    private const int ProtocolOffsetV4 = 9, DestinationOffsetV4 = 16, NextHeaderOffsetV6 = 6, DestinationOffsetV6 = 24;
    private const byte Udp = 17;

    /// <summary>The refused address, if <paramref name="packet"/> (with its IPv4 header) refuses a datagram that came from <paramref name="localPort"/>.</summary>
    public static bool TryReadV4(ReadOnlySpan<byte> packet, int localPort, out NetworkAddress refused)
    {
        refused = default;
        if (!TrySkipHeaderV4(packet, out ReadOnlySpan<byte> message, out _) || message is not [3, 3, ..] || message.Length < IcmpHeaderLength)
            return false;
        ReadOnlySpan<byte> quoted = message[IcmpHeaderLength..];
        return TrySkipHeaderV4(quoted, out ReadOnlySpan<byte> datagram, out byte protocol) && protocol == Udp
            && TryRead(quoted.Slice(DestinationOffsetV4, 4), datagram, localPort, out refused);
    }

    /// <summary>The same of an ICMPv6 message, which comes without a header.</summary>
    public static bool TryReadV6(ReadOnlySpan<byte> message, int localPort, out NetworkAddress refused)
    {
        refused = default;
        if (message is not [1, 4, ..] || message.Length < IcmpHeaderLength + HeaderLengthV6)
            return false;
        ReadOnlySpan<byte> quoted = message[IcmpHeaderLength..];
        return quoted[NextHeaderOffsetV6] == Udp
            && TryRead(quoted.Slice(DestinationOffsetV6, 16), quoted[HeaderLengthV6..], localPort, out refused);
    }

    private static bool TrySkipHeaderV4(ReadOnlySpan<byte> packet, out ReadOnlySpan<byte> content, out byte protocol)
    {
        content = [];
        protocol = 0;
        if (packet.Length < MinHeaderLengthV4)
            return false;
        int length = (packet[0] & 0x0F) * 4;
        if (length < MinHeaderLengthV4 || length > packet.Length)
            return false;
        content = packet[length..];
        protocol = packet[ProtocolOffsetV4];
        return true;
    }

    private static bool TryRead(ReadOnlySpan<byte> destination, ReadOnlySpan<byte> datagram, int localPort, out NetworkAddress refused)
    {
        refused = default;
        if (datagram.Length < UdpHeaderLength || BinaryPrimitives.ReadUInt16BigEndian(datagram) != localPort)
            return false;
        refused = NetworkAddress.FromBytes(destination, BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]));
        return true;
    }
}
