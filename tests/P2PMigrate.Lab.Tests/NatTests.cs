namespace P2PMigrate.Lab.Tests;

public sealed class NatTests : LabTest
{
    [Fact]
    public async Task A_port_restricted_NAT_gives_one_socket_the_same_port_for_every_destination()
    {
        int[] ports = await OutsidePortsAsync(NatKind.PortRestricted);

        Assert.Single(ports.Distinct());
    }

    [Fact]
    public async Task A_symmetric_NAT_gives_one_socket_another_port_for_each_destination()
    {
        int[] ports = await OutsidePortsAsync(NatKind.Symmetric);

        Assert.Equal(ports.Length, ports.Distinct().Count());
    }

    [Theory]
    [InlineData("port-restricted")]
    [InlineData("symmetric")]
    public async Task Only_the_address_and_port_that_was_sent_to_gets_in(string kind)
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions { SourceNat = NatKind.Parse(kind) });
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket asked = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        using Socket samePlaceOtherPort = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        using Socket otherPlace = BindUdp(lab.Rendezvous, LabAddresses.RendezvousAlternate);
        await SendAsync(inside, "hello", AddressOf(asked));
        IPEndPoint mapped = (await ReceiveAsync(asked)).From;

        await SendAsync(samePlaceOtherPort, "intruder", mapped);
        await SendAsync(otherPlace, "intruder", mapped);
        await SendAsync(asked, "answer", mapped);

        Assert.Equal("answer", (await ReceiveAsync(inside)).Text);
    }

    [Fact]
    public async Task An_unasked_packet_does_not_take_the_port_of_a_later_mapping()
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        using Socket outside = BindUdp(lab.Rendezvous, LabAddresses.Rendezvous);
        var expected = new IPEndPoint(LabAddresses.SourceNat, AddressOf(inside).Port);

        await SendAsync(outside, "too early", expected);
        await SendAsync(inside, "hello", AddressOf(outside));

        Assert.Equal(expected, (await ReceiveAsync(outside)).From);
    }

    [Fact]
    public async Task Two_sides_behind_port_restricted_NATs_reach_each_other_once_both_have_sent()
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync();
        using Socket source = BindUdp(lab.Source, LabAddresses.Source);
        using Socket target = BindUdp(lab.Target, LabAddresses.Target);
        var sourceOutside = new IPEndPoint(LabAddresses.SourceNat, AddressOf(source).Port);
        var targetOutside = new IPEndPoint(LabAddresses.TargetNat, AddressOf(target).Port);

        await SendAsync(source, "opener", targetOutside);
        await SendAsync(target, "from target", sourceOutside);
        Assert.Equal(("from target", targetOutside), await ReceiveAsync(source));
        await SendAsync(source, "from source", targetOutside);

        Assert.Equal(("from source", sourceOutside), await ReceiveAsync(target));
    }

    /// <summary>Sends from one socket of the source to four address-port pairs and returns the ports they saw.</summary>
    private static async Task<int[]> OutsidePortsAsync(NatKind kind)
    {
        await using VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions { SourceNat = kind });
        using Socket inside = BindUdp(lab.Source, LabAddresses.Source);
        IPAddress[] places = [LabAddresses.Rendezvous, LabAddresses.Rendezvous, LabAddresses.RendezvousAlternate, LabAddresses.RendezvousAlternate];
        var ports = new List<int>();
        foreach (IPAddress place in places)
        {
            using Socket outside = BindUdp(lab.Rendezvous, place);
            await SendAsync(inside, "hello", AddressOf(outside));
            IPEndPoint seen = (await ReceiveAsync(outside)).From;
            Assert.Equal(LabAddresses.SourceNat, seen.Address);
            ports.Add(seen.Port);
        }

        return [.. ports];
    }
}
