using System.Diagnostics;

namespace P2PMigrate.Lab.Tests;

/// <summary>What a site may have besides a NAT of its own: IPv6, a neighbour behind the same router, a long way to the rendezvous.</summary>
public sealed class SiteTests : LabTest
{
    [Fact]
    public async Task An_IPv6_host_is_seen_at_its_own_address_and_gets_in_what_it_asked_for_only()
    {
        await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = NatKind.IPv6 });
        using Socket inside = BindUdpV6(lab.Source, LabAddresses.SourceV6);
        using Socket asked = BindUdpV6(lab.Rendezvous, LabAddresses.RendezvousV6);
        using Socket stranger = BindUdpV6(lab.Rendezvous, LabAddresses.RendezvousV6);

        await SendAsync(stranger, "unasked", AddressOf(inside));
        await SendAsync(inside, "hello", AddressOf(asked));
        Assert.Equal(AddressOf(inside), (await ReceiveAsync(asked)).From);
        await SendAsync(stranger, "unasked", AddressOf(inside));
        await SendAsync(asked, "answer", AddressOf(inside));

        Assert.Equal("answer", (await ReceiveAsync(inside)).Text);
    }

    [Fact]
    public async Task Two_IPv6_firewalls_open_once_both_sides_have_sent()
    {
        await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = NatKind.IPv6, TargetNat = NatKind.IPv6 });
        using Socket source = BindUdpV6(lab.Source, LabAddresses.SourceV6);
        using Socket target = BindUdpV6(lab.Target, LabAddresses.TargetV6);

        await SendAsync(source, "opener", AddressOf(target));
        await SendAsync(target, "from target", AddressOf(source));

        Assert.Equal("from target", (await ReceiveAsync(source)).Text);
    }

    [Fact]
    public async Task A_site_without_IPv6_has_no_way_to_it()
    {
        await using PeerLab lab = await PeerLab.RaiseAsync();
        using Socket inside = lab.Source.OpenSocket(SocketType.Dgram, ProtocolType.Udp, AddressFamily.InterNetworkV6);

        SocketException refused = await Assert.ThrowsAsync<SocketException>(
            () => SendAsync(inside, "nowhere", new IPEndPoint(LabAddresses.RendezvousV6, 9)));

        Assert.Equal(SocketError.NetworkUnreachable, refused.SocketErrorCode);
    }

    [Theory]
    [InlineData(NatSharing.OneLan, true)]
    [InlineData(NatSharing.ApartOnOneLan, false)]
    public async Task Two_hosts_behind_one_router_have_one_outside_address_and_see_each_other_only_where_they_may(NatSharing sharing, bool isSeen)
    {
        await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { Sharing = sharing });
        using Socket source = BindUdp(lab.Source, lab.AddressOf(lab.Source));
        using Socket target = BindUdp(lab.Target, lab.AddressOf(lab.Target));
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);

        await SendAsync(source, "to the neighbour", AddressOf(target));
        await SendAsync(source, "from source", AddressOf(outside));
        await SendAsync(target, "from target", AddressOf(outside));

        IPAddress[] seen = [(await ReceiveAsync(outside)).From.Address, (await ReceiveAsync(outside)).From.Address];
        Assert.Equal([LabAddresses.SourceNat, LabAddresses.SourceNat], seen);
        Assert.Equal(isSeen, target.Poll(isSeen ? Patience : TimeSpan.Zero, SelectMode.SelectRead));
    }

    [Fact]
    public async Task A_full_cone_lets_two_hosts_that_are_kept_apart_reach_each_other_by_their_outside_addresses()
    {
        await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = NatKind.FullCone, Sharing = NatSharing.ApartOnOneLan });
        using Socket source = BindUdp(lab.Source, lab.AddressOf(lab.Source));
        using Socket target = BindUdp(lab.Target, lab.AddressOf(lab.Target));
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        await SendAsync(source, "hello", AddressOf(outside));
        IPEndPoint sourceOutside = (await ReceiveAsync(outside)).From;
        await SendAsync(target, "hello", AddressOf(outside));
        IPEndPoint targetOutside = (await ReceiveAsync(outside)).From;

        await SendAsync(source, "by the router", targetOutside);
        (string text, IPEndPoint from) = await ReceiveAsync(target);
        await SendAsync(target, "back", from);

        Assert.Equal(("by the router", sourceOutside), (text, from));
        Assert.Equal(("back", targetOutside), await ReceiveAsync(source));
    }

    [Fact]
    public async Task A_rendezvous_host_with_a_leg_answers_no_sooner_than_the_leg_allows()
    {
        await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = NatKind.IPv6, RendezvousLeg = "delay=15ms" });
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.RendezvousAlternate);
        using Socket insideV6 = BindUdpV6(lab.Source, LabAddresses.SourceV6);
        using Socket outsideV6 = BindUdpV6(lab.Rendezvous, LabAddresses.RendezvousV6);

        TimeSpan v4 = await RoundTripAsync(inside, outside);
        TimeSpan v6 = await RoundTripAsync(insideV6, outsideV6);

        Assert.All([v4, v6], roundTrip => Assert.True(roundTrip >= TimeSpan.FromMilliseconds(30), $"{roundTrip.TotalMilliseconds} ms"));
    }

    private static async Task<TimeSpan> RoundTripAsync(Socket inside, Socket outside)
    {
        var clock = Stopwatch.StartNew();
        await SendAsync(inside, "question", AddressOf(outside));
        await SendAsync(outside, "answer", (await ReceiveAsync(outside)).From);
        await ReceiveAsync(inside);
        return clock.Elapsed;
    }

    private static Socket BindUdpV6(LabNode node, IPAddress address)
    {
        Socket socket = node.OpenSocket(SocketType.Dgram, ProtocolType.Udp, AddressFamily.InterNetworkV6);
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }
}
