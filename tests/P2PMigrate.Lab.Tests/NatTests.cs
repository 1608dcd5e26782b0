namespace P2PMigrate.Lab.Tests;

/// <summary>Each kind of NAT maps and filters as its name says: plain sockets on both sides of a real kernel's.</summary>
public sealed class NatTests : LabTest
{
    [Theory]
    [InlineData("full-cone")]
    [InlineData("address-restricted")]
    [InlineData("port-restricted")]
    [InlineData("leaky")]
    [InlineData("double")]
    public async Task An_endpoint_independent_NAT_gives_one_socket_the_same_port_for_every_destination(string kind)
    {
        int[] ports = await OutsidePortsAsync(NatKind.Parse(kind));

        Assert.Single(ports.Distinct());
    }

    [Theory]
    [InlineData("symmetric")]
    [InlineData("symmetric-block")]
    [InlineData("ipv6")]
    [InlineData("gateway")]
    public async Task A_symmetric_NAT_gives_one_socket_another_port_for_each_destination(string kind)
    {
        int[] ports = await OutsidePortsAsync(NatKind.Parse(kind));

        Assert.Equal(ports.Length, ports.Distinct().Count());
    }

    [Fact]
    public async Task A_symmetric_NAT_with_a_block_stays_in_it()
    {
        int[] ports = await OutsidePortsAsync(NatKind.SymmetricBlock);

        Assert.All(ports, port => Assert.InRange(port, NatKind.SymmetricBlock.Ports!.First, NatKind.SymmetricBlock.Ports.Last));
    }

    [Theory]
    [InlineData("open", "same place, other place, asked")]
    [InlineData("full-cone", "same place, other place, asked")]
    [InlineData("address-restricted", "same place, asked")]
    [InlineData("port-restricted", "asked")]
    [InlineData("leaky", "asked")]
    [InlineData("symmetric", "asked")]
    [InlineData("symmetric-block", "asked")]
    [InlineData("double", "asked")]
    [InlineData("ipv6", "asked")]
    [InlineData("gateway", "asked")]
    public async Task A_NAT_lets_in_whom_its_filtering_admits(string kind, string admitted)
    {
        await using PeerLab lab = await RaiseAsync(NatKind.Parse(kind));
        using Socket inside = BindUdp(lab.Source, lab.AddressOf(lab.Source));
        using Socket asked = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        using Socket samePlaceOtherPort = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        using Socket otherPlace = BindUdp(lab.Rendezvous, LabAddresses.RendezvousAlternate);
        await SendAsync(inside, "hello", AddressOf(asked));
        IPEndPoint mapped = (await ReceiveAsync(asked)).From;

        await SendAsync(samePlaceOtherPort, "same place", mapped);
        await SendAsync(otherPlace, "other place", mapped);
        await SendAsync(asked, "asked", mapped);

        var came = new List<string>();
        while (!came.Contains("asked")) came.Add((await ReceiveAsync(inside)).Text);
        Assert.Equal(admitted, string.Join(", ", came));
    }

    [Fact]
    public async Task Without_a_NAT_a_host_is_reached_at_its_own_address_by_whoever_likes()
    {
        await using PeerLab lab = await RaiseAsync(NatKind.Open);
        using Socket inside = BindUdp(lab.Source, lab.AddressOf(lab.Source));
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);

        await SendAsync(outside, "unasked", AddressOf(inside));
        await ReceiveAsync(inside);
        await SendAsync(inside, "hello", AddressOf(outside));

        Assert.Equal(AddressOf(inside), (await ReceiveAsync(outside)).From);
    }

    [Theory]
    [InlineData("port-restricted", true)]
    [InlineData("leaky", false)]
    public async Task An_unasked_packet_takes_the_port_of_a_later_mapping_only_where_the_router_takes_it(string kind, bool keepsPort)
    {
        await using PeerLab lab = await RaiseAsync(NatKind.Parse(kind));
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        var expected = new IPEndPoint(LabAddresses.SourceNat, AddressOf(inside).Port);

        await SendAsync(outside, "too early", expected);
        await SendAsync(inside, "hello", AddressOf(outside));

        Assert.Equal(keepsPort, expected.Equals((await ReceiveAsync(outside)).From));
    }

    [Theory]
    [InlineData("port-restricted")]
    [InlineData("double")]
    public async Task Two_sides_behind_cones_reach_each_other_once_both_have_sent(string kind)
    {
        await using PeerLab lab = await RaiseAsync(NatKind.Parse(kind), NatKind.Parse(kind));
        using Socket source = BindUdp(lab.Source, LabAddresses.Source);
        using Socket target = BindUdp(lab.Target, LabAddresses.Target);
        var sourceOutside = new IPEndPoint(lab.OutsideAddressOf(lab.Source), AddressOf(source).Port);
        var targetOutside = new IPEndPoint(lab.OutsideAddressOf(lab.Target), AddressOf(target).Port);

        await SendAsync(source, "opener", targetOutside);
        await SendAsync(target, "from target", sourceOutside);
        Assert.Equal(("from target", targetOutside), await ReceiveAsync(source));
        await SendAsync(source, "from source", targetOutside);

        Assert.Equal(("from source", sourceOutside), await ReceiveAsync(target));
    }

    [Fact]
    public async Task Where_UDP_is_blocked_nothing_gets_out_but_TCP_to_port_443()
    {
        await using PeerLab lab = await RaiseAsync(NatKind.UdpBlocked);
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        using Socket secure = Listen(lab, 443);
        using Socket plain = Listen(lab, 80);
        using Socket toPlain = lab.Source.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
        using Socket toSecure = lab.Source.OpenSocket(SocketType.Stream, ProtocolType.Tcp);

        Task refused = toPlain.ConnectAsync(AddressOf(plain));
        await SendAsync(inside, "lost", AddressOf(outside));
        await toSecure.ConnectAsync(AddressOf(secure)).WaitAsync(Patience);

        using Socket accepted = await secure.AcceptAsync().WaitAsync(Patience);
        Assert.Equal(LabAddresses.SourceNat, ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        Assert.False(refused.IsCompleted);
        Assert.Equal(0, outside.Available);
    }

    [Fact]
    public async Task A_gateway_answers_whoever_asks_it_for_its_address()
    {
        await using PeerLab lab = await RaiseAsync(NatKind.Gateway);
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        byte[] answer = new byte[64];

        // NAT-PMP (RFC 6886, section 3.2): version 0, opcode 0.
        await inside.SendToAsync(new byte[2], SocketFlags.None, new IPEndPoint(IPAddress.Parse("192.168.10.1"), 5351));
        await inside.ReceiveAsync(answer).WaitAsync(Patience);

        Assert.Equal(LabAddresses.SourceNat, new IPAddress(answer.AsSpan(8, 4)));
        Assert.Empty(await Assert.Single(lab.Gateways).MappingsAsync());
    }

    /// <summary>Sends from one socket of the source to four address-port pairs and returns the ports they saw.</summary>
    private static async Task<int[]> OutsidePortsAsync(NatKind kind)
    {
        await using PeerLab lab = await RaiseAsync(kind);
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        IPAddress[] places = [LabAddresses.Rendezvous, LabAddresses.Rendezvous, LabAddresses.RendezvousAlternate, LabAddresses.RendezvousAlternate];
        var ports = new List<int>();
        foreach (IPAddress place in places)
        {
            using Socket outside = BindUdp(lab.Rendezvous, place);
            await SendAsync(inside, "hello", AddressOf(outside));
            IPEndPoint seen = (await ReceiveAsync(outside)).From;
            Assert.Equal(lab.OutsideAddressOf(lab.Source), seen.Address);
            ports.Add(seen.Port);
        }

        return [.. ports];
    }

    private static Task<PeerLab> RaiseAsync(NatKind source, NatKind? target = null) =>
        PeerLab.RaiseAsync(new LabOptions { SourceNat = source, TargetNat = target ?? NatKind.PortRestricted });

    private static Socket Listen(PeerLab lab, int port)
    {
        Socket listener = lab.Rendezvous.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(LabAddresses.Rendezvous, port));
        listener.Listen();
        return listener;
    }
}
