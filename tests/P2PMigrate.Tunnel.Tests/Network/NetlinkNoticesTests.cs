using System.Buffers.Binary;
using P2PMigrate.Tunnel.Network;

namespace P2PMigrate.Tunnel.Tests.Network;

public sealed class NetlinkNoticesTests
{
    private const ushort Done = 3, NewLink = 16, NewAddress = 20, NewRoute = 24, NewNeighbour = 28;
    private const byte MainTable = 254, LocalTable = 255, Unicast = 1, Local = 2;

    // spec: PATH-36
    [Fact]
    public void An_address_is_a_change_wherever_it_stands_among_the_messages()
    {
        byte[] address = Message(NewAddress, new byte[8]);
        Assert.True(NetlinkNotices.TellOfChange(address));
        Assert.True(NetlinkNotices.TellOfChange([.. Message(NewNeighbour, new byte[13]), 0, 0, 0, .. address]));
    }

    [Theory]
    [InlineData(0, false)] // A wireless card tells of its signal.
    [InlineData(0x1, true)] // It came up.
    [InlineData(0x10000, true)] // Its cable was pulled.
    [InlineData(0x100, false)] // Somebody listens to it.
    public void A_link_is_a_change_when_it_goes_up_or_down(uint changed, bool isChange)
    {
        byte[] link = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(link.AsSpan(12), changed);
        Assert.Equal(isChange, NetlinkNotices.TellOfChange(Message(NewLink, link)));
    }

    [Theory]
    [InlineData(MainTable, Unicast, 0, true)]
    [InlineData(LocalTable, Local, 0, false)]
    [InlineData(MainTable, Unicast, 0x200, false)] // What the kernel learned on the way.
    public void A_route_is_a_change_unless_it_is_the_kernels_own(byte table, byte type, uint flags, bool isChange)
    {
        byte[] route = [2, 0, 0, 0, table, 0, 0, type, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(route.AsSpan(8), flags);
        Assert.Equal(isChange, NetlinkNotices.TellOfChange(Message(NewRoute, route)));
    }

    [Fact]
    public void What_cannot_be_read_is_a_change_and_nothing_throws()
    {
        Assert.False(NetlinkNotices.TellOfChange([]));
        Assert.False(NetlinkNotices.TellOfChange(Message(Done, [])));
        byte[] tooLong = Message(NewNeighbour, new byte[12]);
        tooLong[0] = 200;
        Assert.True(NetlinkNotices.TellOfChange(tooLong));
        byte[] notices = [.. Message(NewLink, new byte[16]), .. Message(NewRoute, new byte[12]), .. Message(NewAddress, new byte[8])];
        for (int length = 0; length < notices.Length; length++)
            NetlinkNotices.TellOfChange(notices.AsSpan(0, length));
    }

    private static byte[] Message(ushort type, byte[] body)
    {
        byte[] message = new byte[16 + body.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        body.CopyTo(message, 16);
        return message;
    }
}
