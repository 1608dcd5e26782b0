using System.Net;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Tests.Endpoint;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>A peer whose machine changes its network: real kernels tell of it.</summary>
public sealed class RoamingTests : IAsyncLifetime
{
    private static readonly IPAddress s_far = IPAddress.Parse("10.79.3.1");
    private static readonly IPAddress s_router = IPAddress.Parse("10.79.3.2");

    private readonly PrivateIdentity _nearIdentity = PrivateIdentity.Create(CryptographicEntropy.Instance);
    private readonly PrivateIdentity _farIdentity = PrivateIdentity.Create(CryptographicEntropy.Instance);
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private BareLab _lab = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        _lab = await BareLab.RaiseAsync(null, ["near", "far", "router"], _token);
        await BareLab.JoinAsync((_lab["near"], "up1", "10.79.1.1/24"), (_lab["router"], "to-up1", "10.79.1.2/24"), _token);
        await BareLab.JoinAsync((_lab["near"], "up2", "10.79.2.9/24"), (_lab["router"], "to-up2", "10.79.2.2/24"), _token);
        await BareLab.JoinAsync((_lab["far"], "eth0", $"{s_far}/24"), (_lab["router"], "to-far", $"{s_router}/24"), _token);
        _lab["router"].SetNetworkSetting("net/ipv4/ip_forward", "1");
        await _lab["near"].ShellAsync("ip address del 10.79.2.9/24 dev up2 && ip route add default via 10.79.1.2", _token);
        await _lab["far"].ShellAsync($"ip route add default via {s_router}", _token);
        // Like the NAT of a home: in comes what answers something.
        await _lab["far"].ShellAsync(
            "nft add table ip guard && nft 'add chain ip guard in { type filter hook input priority filter; policy drop; }' && "
            + "nft add rule ip guard in ct state established,related accept",
            _token);
    }

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        _nearIdentity.Dispose();
        _farIdentity.Dispose();
    }

    // spec: PATH-36
    [Theory]
    [InlineData("ip address add 10.79.2.1/24 dev up2")]
    [InlineData("ip address add fd00::1/64 dev up2")]
    [InlineData("ip route add 10.99.0.0/16 via 10.79.1.2")]
    [InlineData("ip link set up1 down")]
    public async Task The_kernel_tells_of_addresses_routes_and_links(string change)
    {
        using INetworkWatch watch = _lab["near"].InNetwork(NetworkWatch.TryOpen)!;
        using var told = new SemaphoreSlim(0);
        watch.Start(() => told.Release());
        await _lab["near"].ShellAsync(change, _token);
        Assert.True(await told.WaitAsync(TimeSpan.FromSeconds(20), _token));
    }

    // spec: PATH-36, RDV-17, RLY-05
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transfer_goes_on_after_a_change_of_uplink_and_has_a_direct_path_again(bool isNearSending)
    {
        await using RendezvousServer server = RendezvousServer.Start(
            _lab["router"].InNetwork(() => DatagramSocket.Open(new IPEndPoint(s_router, 0))), options: null, logger: null, time: null);
        await using TunnelEndpoint far = Open(_lab["far"], _farIdentity, server);
        await using TunnelEndpoint near = Open(_lab["near"], _nearIdentity, server);
        await far.WaitRegisteredAsync(_token);
        await near.WaitRegisteredAsync(_token);
        await using TunnelSession there = await near.DialAsync(await far.IssueTicketAsync(TimeSpan.FromMinutes(5), _token), _token);
        await using TunnelSession here = await far.AcceptAsync(_token);
        await WaitForAsync(here, "10.79.1.1");
        await using Trickle transfer = await Trickle.StartAsync(isNearSending ? there : here, isNearSending ? here : there, _token);
        await transfer.WaitForMoreAsync(2_000_000);

        await _lab["near"].ShellAsync(
            "ip link set up1 down && ip address add 10.79.2.1/24 dev up2 && ip route replace default via 10.79.2.2", _token);

        await transfer.WaitForMoreAsync(2_000_000);
        await WaitForAsync(here, "10.79.2.1");
        await transfer.WaitForMoreAsync(2_000_000);
    }

    private static TunnelEndpoint Open(LabNode node, PrivateIdentity identity, RendezvousServer server)
    {
        var name = new ServerName(server.LocalEndPoint.Address.ToString(), (ushort)server.LocalEndPoint.Port);
        return TunnelEndpoint.Open(
            new TunnelOptions { Identity = identity, Rendezvous = name }, node.InNetwork(() => DatagramSocket.Open(new IPEndPoint(IPAddress.Any, 0))),
            new ServerAddresses(NetworkAddress.From(server.LocalEndPoint)), node.InNetwork(NetworkWatch.TryOpen));
    }

    private async Task WaitForAsync(TunnelSession session, string direct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_token);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (PathSummary path in session.WatchPathAsync(patience.Token))
        {
            if (path.Kind == PathKind.Direct && path.Remote.StartsWith(direct, StringComparison.Ordinal))
                return;
        }

        throw new InvalidOperationException("The session ended before it had the path.");
    }
}
