namespace P2PMigrate.Lab.Tests;

public sealed class TopologyTests : LabTest
{
    [Theory]
    [InlineData("source")]
    [InlineData("target")]
    public async Task Three_routers_stand_between_a_host_and_the_rendezvous(string host)
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket inside = BindUdp(lab[host], IPAddress.Any);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);

        // Each router takes one: the NAT, its edge and the core. What arrives first tells what died on the way.
        foreach (short hops in (short[])[1, 2, 3, 4])
        {
            inside.Ttl = hops;
            await SendAsync(inside, $"{hops} hops", AddressOf(outside));
        }

        Assert.Equal("4 hops", (await ReceiveAsync(outside)).Text);
    }

    [Fact]
    public async Task The_sites_private_addresses_mean_nothing_outside()
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket source = lab.Source.OpenSocket(SocketType.Stream, ProtocolType.Tcp);

        SocketException refused = await Assert.ThrowsAsync<SocketException>(
            () => source.ConnectAsync(LabAddresses.Target, 9).WaitAsync(Patience));

        Assert.Contains(refused.SocketErrorCode, (SocketError[])[SocketError.NetworkUnreachable, SocketError.HostUnreachable]);
    }

    [Fact]
    public async Task Sockets_opened_inside_carry_a_TCP_connection_from_source_to_rendezvous()
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket listener = lab.Rendezvous.OpenSocket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(LabAddresses.Rendezvous, 0));
        listener.Listen();
        using Socket client = lab.Source.OpenSocket(SocketType.Stream, ProtocolType.Tcp);

        await client.ConnectAsync(AddressOf(listener)).WaitAsync(Patience);
        using Socket accepted = await listener.AcceptAsync().WaitAsync(Patience);

        Assert.Equal(LabAddresses.SourceNat, ((IPEndPoint)accepted.RemoteEndPoint!).Address);
    }

    [Fact]
    public async Task A_cut_uplink_swallows_packets_both_ways_until_it_is_healed()
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        await SendAsync(inside, "before", AddressOf(outside));
        IPEndPoint mapped = (await ReceiveAsync(outside)).From;

        await lab.CutAsync(lab.Source);
        await SendAsync(inside, "lost going out", AddressOf(outside));
        await SendAsync(outside, "lost coming in", mapped);
        await lab.HealAsync(lab.Source);
        await SendAsync(inside, "after", AddressOf(outside));
        Assert.Equal("after", (await ReceiveAsync(outside)).Text);
        await SendAsync(outside, "back", mapped);

        Assert.Equal("back", (await ReceiveAsync(inside)).Text);
    }

    [Fact]
    public async Task A_capture_at_the_core_holds_what_passes_there()
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        await using PacketCapture capture = await lab.CaptureAsync(lab.Core);

        await SendAsync(inside, "a marker that nobody encrypts", AddressOf(outside));
        await ReceiveAsync(outside);
        await capture.StopAsync();

        byte[] recorded = await File.ReadAllBytesAsync(capture.File);
        Assert.NotEqual(-1, recorded.AsSpan().IndexOf("a marker that nobody encrypts"u8));
    }

    [Fact]
    public async Task Several_labs_are_up_at_once_with_the_same_addresses()
    {
        VirtualLab[] labs = await Task.WhenAll(VirtualLab.RaiseAsync(), VirtualLab.RaiseAsync());
        await using VirtualLab first = labs[0];
        await using VirtualLab second = labs[1];
        using Socket inFirst = BindUdp(first.Rendezvous, LabAddresses.Rendezvous);
        using Socket inSecond = second.Rendezvous.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        inSecond.Bind(AddressOf(inFirst));
        using Socket sender = BindUdp(second.Source, LabAddresses.Source);

        await SendAsync(sender, "to the second", AddressOf(inFirst));

        Assert.Equal("to the second", (await ReceiveAsync(inSecond)).Text);
        Assert.Equal(0, inFirst.Available);
    }
}
