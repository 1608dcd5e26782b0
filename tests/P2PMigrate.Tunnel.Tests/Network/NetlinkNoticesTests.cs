using System.Buffers.Binary;
using P2PMigrate.Tunnel.Network;

namespace P2PMigrate.Tunnel.Tests.Network;

public sealed class NetlinkNoticesTests
{
    private const ushort Done = 3, NewLink = 16, NewAddress = 20, DeletedAddress = 21, NewRoute = 24, NewNeighbour = 28;
    private const byte MainTable = 254, LocalTable = 255, Unicast = 1, Local = 2;

    // spec: PATH-36
    [Fact]
    public void An_address_is_a_change_wherever_it_stands_among_the_messages()
    {
        byte[] address = Message(NewAddress, new byte[8]);
        Assert.True(TellOfChange(address));
        Assert.True(TellOfChange([.. Message(NewNeighbour, new byte[13]), 0, 0, 0, .. address]));
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
        Assert.Equal(isChange, TellOfChange(Message(NewLink, link)));
    }

    [Theory]
    [InlineData(MainTable, Unicast, 0, true)]
    [InlineData(LocalTable, Local, 0, false)]
    [InlineData(MainTable, Unicast, 0x200, false)] // What the kernel learned on the way.
    public void A_route_is_a_change_unless_it_is_the_kernels_own(byte table, byte type, uint flags, bool isChange)
    {
        byte[] route = [2, 0, 0, 0, table, 0, 0, type, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(route.AsSpan(8), flags);
        Assert.Equal(isChange, TellOfChange(Message(NewRoute, route)));
    }

    [Fact]
    public void What_cannot_be_read_is_a_change_and_nothing_throws()
    {
        Assert.False(TellOfChange([]));
        Assert.False(TellOfChange(Message(Done, [])));
        byte[] tooLong = Message(NewNeighbour, new byte[12]);
        tooLong[0] = 200;
        Assert.True(TellOfChange(tooLong));
        byte[] notices = [.. Message(NewLink, new byte[16]), .. Message(NewRoute, new byte[12]), .. Message(NewAddress, new byte[8])];
        for (int length = 0; length < notices.Length; length++)
            TellOfChange(notices.AsSpan(0, length));
    }

    // spec: PATH-36
    [Fact]
    public void An_address_that_is_told_again_because_a_router_prolonged_it_is_no_change()
    {
        KnownAddresses known = new();
        bool IsChange(byte[] notice) => NetlinkNotices.TellOfChange(notice, known);
        Assert.True(IsChange(Address(last: 1, lifetime: 100)));
        Assert.False(IsChange(Address(last: 1, lifetime: 200)));
        Assert.True(IsChange(Address(last: 2, lifetime: 100)));
        Assert.True(IsChange(Address(last: 1, lifetime: 100, flags: 0x20))); // Deprecated.
        Assert.True(IsChange(Address(last: 1, lifetime: 100)));

        Assert.True(IsChange(Address(last: 2, lifetime: 100, type: DeletedAddress)));
        Assert.True(IsChange(Address(last: 1, lifetime: 100)));
        Assert.False(IsChange(Address(last: 1, lifetime: 100)));
        byte[] link = new byte[16];
        link[12] = 1;
        Assert.True(IsChange([.. Message(NewLink, link), .. Address(last: 1, lifetime: 100)]));
        Assert.False(IsChange(Address(last: 1, lifetime: 100)));
    }

    [Theory]
    [InlineData(NewAddress)]
    [InlineData(DeletedAddress)]
    public void An_address_that_leads_to_the_next_machine_only_is_no_change(ushort type) =>
        Assert.False(TellOfChange(Address(last: 1, lifetime: 100, type: type, scope: 253)));

    [Fact]
    public void Addresses_without_number_are_told_and_not_hoarded()
    {
        KnownAddresses known = new();
        for (int i = 0; i <= KnownAddresses.MaxCount; i++)
            Assert.True(NetlinkNotices.TellOfChange(Address(last: i, lifetime: 1), known));
        Assert.True(NetlinkNotices.TellOfChange(Address(last: 0, lifetime: 1), known));
    }

    private static bool TellOfChange(ReadOnlySpan<byte> notices) => NetlinkNotices.TellOfChange(notices, new KnownAddresses());

    private static byte[] Address(int last, byte lifetime, ushort type = NewAddress, byte flags = 0, byte scope = 0)
    {
        byte[] address = new byte[16];
        BinaryPrimitives.WriteInt32BigEndian(address.AsSpan(12), last);
        return Message(type, [10, 64, flags, scope, 3, 0, 0, 0, 20, 0, 1, 0, .. address, 8, 0, 6, 0, lifetime, 0, 0, 0]);
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
