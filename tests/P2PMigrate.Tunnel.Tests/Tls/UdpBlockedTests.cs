using System.Net;
using System.Net.Sockets;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Tests.Endpoint;

namespace P2PMigrate.Tunnel.Tests.Tls;

/// <summary>Endpoints whose UDP does not get through, and a server that also speaks TLS.</summary>
[Trait("Spec", "RLY-14")]
public sealed class UdpBlockedTests
{
    [Fact]
    public async Task Peers_without_UDP_meet_and_talk()
    {
        await using Peers peers = await Peers.OpenWithTlsAsync(isUdpBlocked: true);
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream sending, ITunnelStream receiving) = await Peers.OpenStreamAsync(near, far);

        await using Trickle flow = Trickle.Start(sending, receiving);
        await flow.WaitForMoreAsync(4_000_000);

        Assert.Equal(PathKind.Relay, near.PrimaryPath?.Kind);
        Assert.Equal(PathKind.Relay, far.PrimaryPath?.Kind);
        Assert.Equal(2, peers.Server!.TlsConnections);
    }

    [Fact]
    [Trait("Spec", "RLY-15")]
    public async Task A_transfer_goes_on_when_UDP_is_cut_and_is_direct_again_when_it_is_back()
    {
        await using Peers peers = await Peers.OpenWithTlsAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        await Peers.WaitForPathAsync(near, PathKind.Direct);
        (ITunnelStream sending, ITunnelStream receiving) = await Peers.OpenStreamAsync(near, far);
        await using Trickle flow = Trickle.Start(sending, receiving);
        await flow.WaitForMoreAsync(1_000_000);

        peers.FirewallOf(peers.Source).Passes = static _ => false;
        await flow.WaitForMoreAsync(1_000_000);
        Assert.Equal(PathKind.Relay, near.PrimaryPath?.Kind);

        peers.UnblockDirectPaths();
        await Peers.WaitForPathAsync(near, PathKind.Direct);
        await Peers.WaitForPathAsync(far, PathKind.Direct);
        await flow.WaitForMoreAsync(1_000_000);
    }

    [Fact]
    [Trait("Spec", "RLY-15")]
    public async Task Without_UDP_between_the_peers_the_relayed_session_goes_back_to_UDP_and_the_connections_end()
    {
        await using Peers peers = await Peers.OpenWithTlsAsync(isUdpBlocked: true);
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream sending, ITunnelStream receiving) = await Peers.OpenStreamAsync(near, far);
        await using Trickle flow = Trickle.Start(sending, receiving);
        await flow.WaitForMoreAsync(1_000_000);

        peers.UnblockInside();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (peers.Server!.TlsConnections > 0)
        {
            await flow.WaitForMoreAsync(10_000);
            patience.Token.ThrowIfCancellationRequested();
        }

        await flow.WaitForMoreAsync(1_000_000);
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public async Task A_transfer_goes_on_when_the_network_forgets_the_connection_that_carries_it()
    {
        await using Peers peers = await Peers.OpenWithTlsAsync(isUdpBlocked: true);
        await using var gateway = new ForgetfulGateway(peers.Server!.LocalTlsEndPoint!);
        TunnelEndpoint source = await peers.OpenOneAsync(
            static at => new FilteredSocket(DatagramSocket.Open(at)) { Passes = static _ => false }, options => options with { RendezvousTlsPort = gateway.Port });
        (TunnelSession near, TunnelSession far) = await Peers.ConnectAsync(source, peers.Target);
        (ITunnelStream sending, ITunnelStream receiving) = await Peers.OpenStreamAsync(near, far);
        await using Trickle flow = Trickle.Start(sending, receiving);
        await flow.WaitForMoreAsync(1_000_000);
        Assert.Equal(1, gateway.Count);

        gateway.Forget();
        await flow.WaitForMoreAsync(1_000_000);
        Assert.Equal(2, gateway.Count);
    }

    [Fact]
    [Trait("Spec", "RLY-17")]
    public async Task A_web_server_where_a_rendezvous_should_listen_is_not_pestered()
    {
        await using Peers peers = await Peers.OpenWithTlsAsync();
        await using var web = new WebServer();
        await Assert.ThrowsAsync<TunnelException>(() => peers.OpenOneAsync(
            static at => new FilteredSocket(DatagramSocket.Open(at)) { Passes = static _ => false }, options => options with { RendezvousTlsPort = web.Port }));
        Assert.InRange(web.Count, 1, 10);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_does_not_make_the_client_ask_more_often_by_UDP()
    {
        await using Peers peers = await Peers.OpenWithTlsAsync();
        int asked = await CountQuestionsAsync(peers, tlsPort: null);
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.InRange(await CountQuestionsAsync(peers, (ushort)((IPEndPoint)closed.LocalEndPoint!).Port), 1, asked + 1);
    }

    [Fact]
    [Trait("Spec", "RLY-21")]
    public async Task A_direct_session_does_not_notice_that_the_server_is_gone()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        await Peers.WaitForPathAsync(near, PathKind.Direct);
        await Peers.WaitForPathAsync(far, PathKind.Direct);
        (ITunnelStream sending, ITunnelStream receiving) = await Peers.OpenStreamAsync(near, far);
        await using Trickle flow = Trickle.Start(sending, receiving);
        await flow.WaitForMoreAsync(1_000_000);

        await peers.Server!.DisposeAsync();
        await flow.WaitForMoreAsync(1_000_000);
        Assert.Equal(PathKind.Direct, near.PrimaryPath?.Kind);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(20)]
    [Trait("Spec", "RLY-21")]
    [Trait("Spec", "PATH-81")]
    public async Task A_relayed_session_goes_on_when_the_server_is_back_with_an_empty_memory(int seconds)
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        peers.BlockDirectPaths();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        (ITunnelStream sending, ITunnelStream receiving) = await Peers.OpenStreamAsync(near, far);
        await using Trickle flow = Trickle.Start(sending, receiving);
        await flow.WaitForMoreAsync(1_000_000);

        await peers.ReplaceServerAsync(Task.Delay(TimeSpan.FromSeconds(seconds), Peers.Token));

        await flow.WaitForMoreAsync(1_000_000);
        Assert.Equal(PathKind.Relay, near.PrimaryPath?.Kind);
        await peers.ConnectAsync(); // The target is registered again, too.
    }

    private static async Task<int> CountQuestionsAsync(Peers peers, ushort? tlsPort)
    {
        int count = 0;
        var isSilent = await Assert.ThrowsAsync<TunnelException>(() => peers.OpenOneAsync(
            at => new FilteredSocket(DatagramSocket.Open(at)) { Passes = _ => ++count < 0 }, options => options with { RendezvousTlsPort = tlsPort }));
        Assert.Equal(TunnelFailure.RendezvousUnreachable, isSilent.Reason);
        return Volatile.Read(ref count);
    }
}
