using System.Buffers.Binary;
using System.Net;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Network;

namespace P2PMigrate.Tunnel.Tests.Network;

/// <summary>What machines answer where no program listens, and what only looks like it.</summary>
public sealed class RefusalNoticeTests
{
    private const int Port = 4711;

    private static readonly NetworkAddress s_peer = NetworkAddress.FromBytes([192, 0, 2, 7], 5000);
    private static readonly NetworkAddress s_peerV6 = NetworkAddress.From(IPAddress.Parse("2001:db8::7"), 5000);

    [Fact]
    [Trait("Spec", "MIG-121")]
    public void A_refusal_names_the_address_that_was_sent_to()
    {
        Assert.True(RefusalNotice.TryReadV4(V4(), Port, out NetworkAddress refused));
        Assert.Equal(s_peer, refused);
        Assert.True(RefusalNotice.TryReadV6(V6(), Port, out refused));
        Assert.Equal(s_peerV6, refused);
    }

    [Fact]
    [Trait("Spec", "MIG-121")]
    public void What_another_port_sent_and_what_is_no_refusal_of_a_port_is_not_ours()
    {
        Assert.False(RefusalNotice.TryReadV4(V4(), Port + 1, out _));
        Assert.False(RefusalNotice.TryReadV6(V6(), Port + 1, out _));
        Assert.False(RefusalNotice.TryReadV4(Changed(V4(), 20, 8), Port, out _));    // an echo request
        Assert.False(RefusalNotice.TryReadV4(Changed(V4(), 21, 4), Port, out _));    // fragmentation needed
        Assert.False(RefusalNotice.TryReadV4(Changed(V4(), 28 + 9, 6), Port, out _)); // TCP
        Assert.False(RefusalNotice.TryReadV6(Changed(V6(), 0, 3), Port, out _));
        Assert.False(RefusalNotice.TryReadV6(Changed(V6(), 8 + 6, 6), Port, out _));
    }

    [Fact]
    [Trait("Spec", "MIG-121")]
    public void A_notice_that_is_cut_anywhere_is_none()
    {
        byte[] v4 = V4(), v6 = V6();
        for (int length = 0; length < v4.Length; length++)
            Assert.False(RefusalNotice.TryReadV4(v4.AsSpan(0, length), Port, out _));
        for (int length = 0; length < v6.Length; length++)
            Assert.False(RefusalNotice.TryReadV6(v6.AsSpan(0, length), Port, out _));
        for (int header = 0; header < 16; header++)
        {
            RefusalNotice.TryReadV4(Changed(v4, 0, (byte)(0x40 | header)), Port, out _);
            RefusalNotice.TryReadV4(Changed(v4, 28, (byte)(0x40 | header)), Port, out _);
        }
    }

    private static byte[] Changed(byte[] packet, int at, byte value)
    {
        packet[at] = value;
        return packet;
    }

    private static byte[] V4()
    {
        byte[] packet = new byte[20 + 8 + 20 + 8];
        packet[0] = packet[28] = 0x45;
        (packet[9], packet[20], packet[21], packet[28 + 9]) = (1, 3, 3, 17);
        new byte[] { 192, 0, 2, 7 }.CopyTo(packet, 28 + 16);
        WritePorts(packet.AsSpan(48));
        return packet;
    }

    private static byte[] V6()
    {
        byte[] packet = new byte[8 + 40 + 8];
        (packet[0], packet[1], packet[8], packet[8 + 6]) = (1, 4, 0x60, 17);
        IPAddress.Parse("2001:db8::7").GetAddressBytes().CopyTo(packet, 8 + 24);
        WritePorts(packet.AsSpan(48));
        return packet;
    }

    private static void WritePorts(Span<byte> datagram)
    {
        BinaryPrimitives.WriteUInt16BigEndian(datagram, Port);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[2..], 5000);
    }
}
