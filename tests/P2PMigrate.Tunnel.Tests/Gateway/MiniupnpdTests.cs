using System.Net;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Tunnel.Gateway;

namespace P2PMigrate.Tunnel.Tests.Gateway;

/// <summary>Against a real gateway: miniupnpd on a NAT router of the lab.</summary>
public sealed class MiniupnpdTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly KeptLog _log = new();

    [Theory]
    [InlineData(MappingProtocols.Pcp, "Pcp")]
    [InlineData(MappingProtocols.NatPmp, "NatPmp")]
    [InlineData(MappingProtocols.Upnp, "Upnp")]
    [InlineData(MappingProtocols.All, "Pcp")]
    [Trait("Spec", "PATH-56")]
    public async Task A_port_is_mapped_leads_to_the_peer_and_is_gone_after_the_release(MappingProtocols spoken, string expected)
    {
        await using GatewayPeer peer = await GatewayPeer.RaiseAsync(options => options with { Protocols = spoken }, _log);
        peer.Start();

        Candidate mapped = Assert.Single(await peer.ChangeAsync());

        Assert.Equal(CandidateKind.Mapped, mapped.Kind);
        Assert.Equal(LabAddresses.SourceNat, mapped.Address.ToIPAddress());
        Assert.Contains($"dnat ip to {peer.Socket.LocalEndPoint}", await MappedAsync(peer.Daemon), StringComparison.Ordinal);
        Assert.Equal("hello", await peer.ReachAsync(mapped.Address, "hello"));
        Assert.Contains($"by {expected}", _log.Text, StringComparison.Ordinal);

        await peer.Mapper.DisposeAsync();
        Assert.Empty(await peer.Daemon.MappingsAsync());
        Assert.Empty(await peer.ChangeAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Spec", "PATH-52")]
    public async Task Where_only_UPnP_is_spoken_it_maps_in_both_versions(bool isVersion1)
    {
        await using GatewayPeer peer = await GatewayPeer.RaiseAsync(
            options => options, _log, new GatewayOptions { ServesPcpAndNatPmp = false, IsIgdVersion1 = isVersion1 });
        peer.Start();

        Candidate mapped = Assert.Single(await peer.ChangeAsync());

        Assert.Equal("hello", await peer.ReachAsync(mapped.Address, "hello"));
        Assert.Contains("by Upnp", _log.Text, StringComparison.Ordinal);
    }

    // Not by PCP: miniupnpd grants two minutes of it at least. The virtual clock has that.
    [Theory]
    [InlineData(MappingProtocols.NatPmp)]
    [InlineData(MappingProtocols.Upnp)]
    [Trait("Spec", "PATH-54")]
    public async Task A_mapping_of_four_seconds_still_stands_after_ten(MappingProtocols spoken)
    {
        var four = TimeSpan.FromSeconds(4);
        await using GatewayPeer peer = await GatewayPeer.RaiseAsync(
            options => options with { Protocols = spoken, Lifetime = four }, _log);
        peer.Start();
        Candidate mapped = Assert.Single(await peer.ChangeAsync());

        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        for (int ticks = 0; ticks < 20; ticks++)
        {
            await clock.WaitForNextTickAsync();
            await MappedAsync(peer.Daemon);
        }

        Assert.False(peer.HasChanged); // or it was lost in between and mapped anew

        Assert.Equal("still there", await peer.ReachAsync(mapped.Address, "still there"));
    }

    [Theory]
    [InlineData(MappingProtocols.Pcp)]
    [InlineData(MappingProtocols.NatPmp)]
    [InlineData(MappingProtocols.Upnp)]
    [Trait("Spec", "PATH-54")]
    public async Task A_router_that_restarts_has_the_mapping_back_long_before_it_would_be_renewed(MappingProtocols spoken)
    {
        await using GatewayPeer peer = await GatewayPeer.RaiseAsync(
            options => options with { Protocols = spoken, CheckInterval = TimeSpan.FromSeconds(5) }, _log);
        peer.Start();
        Candidate mapped = Assert.Single(await peer.ChangeAsync());

        await peer.Daemon.RestartAsync(); // with empty tables; the mapping may be back before this returns
        await MappedAsync(peer.Daemon);

        Assert.Equal("hello again", await peer.ReachAsync(mapped.Address, "hello again"));
    }

    [Fact]
    public async Task A_gateway_that_maps_nothing_is_reported_in_sentences()
    {
        await using GatewayPeer peer = await GatewayPeer.RaiseAsync(
            options => options, _log, new GatewayOptions { ServesPcpAndNatPmp = false });
        await peer.Daemon.DisposeAsync();
        peer.Start();

        await _log.WaitForAsync("No port was mapped by Upnp: No gateway answers to UPnP.", s_patience);
        await _log.WaitForAsync("No port was mapped by Pcp: The gateway does not answer.", s_patience);
    }

    [Fact]
    public void The_default_gateways_are_read_from_the_kernel_s_tables()
    {
        string[] four =
        [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
            "eth0\t00000000\t010AA8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            "eth0\t000AA8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
            "tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0",
        ];
        string[] six =
        [
            "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo",
        ];

        Assert.Equal(("eth0", IPAddress.Parse("192.168.10.1")), RouteTables.DefaultV4(four));
        Assert.Equal(("eth0", IPAddress.Parse("fe80::1")), RouteTables.DefaultV6(six));
        Assert.Null(RouteTables.DefaultV4(["Iface", "", "x y z"]));
        Assert.Null(RouteTables.DefaultV6(["", "0 00"]));
    }

    /// <summary>The one mapping that there is, or soon will be: to renew one, miniupnpd removes its rule and adds it again.</summary>
    private static async Task<string> MappedAsync(GatewayDaemon daemon)
    {
        using var limit = new CancellationTokenSource(s_patience);
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            if (await daemon.MappingsAsync(limit.Token) is { Count: > 0 } mappings)
                return Assert.Single(mappings);
            await clock.WaitForNextTickAsync(limit.Token);
        }
    }
}
