using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>The server over real sockets, with real endpoints around it.</summary>
public sealed class RendezvousServerTests
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Peers_meet_and_talk_through_the_relay_which_sees_no_plaintext()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        using PrivateIdentity near = PrivateIdentity.Create(CryptographicEntropy.Instance);
        using PrivateIdentity far = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint source = await OpenAsync(near, server);
        await using TunnelEndpoint target = await OpenAsync(far, server);
        await target.WaitRegisteredAsync(_token);

        Conversation met = await Conversation.BeginAsync(source, target, _token);
        await met.EchoAsync(new byte[200_000], _token);

        Assert.Equal(PathKind.Relay, met.Near.PrimaryPath?.Kind);
        Assert.Equal(PathKind.Relay, met.Far.PrimaryPath?.Kind);
        Assert.True(server.Statistics.FramesRelayed > 0);
        Assert.Equal(2, server.Statistics.Registrations);
    }

    [Fact]
    public async Task A_stranger_gets_no_more_bytes_than_it_sent()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int sent = 0;
        for (int type = 0; type < 256; type++)
        {
            byte[] datagram = new byte[128];
            datagram[0] = (byte)type;
            datagram[1] = 1;
            sent += stranger.SendTo(datagram, server.LocalEndPoint);
        }

        byte[] buffer = new byte[2048];
        Assert.True(stranger.Poll(TimeSpan.FromSeconds(20), SelectMode.SelectRead));
        int received = 0;
        do
            received += stranger.Receive(buffer);
        while (stranger.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead));
        Assert.InRange(received, 1, 128);
        Assert.True(received < sent);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_told_in_a_sentence()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        TunnelException error = Assert.Throws<TunnelException>(() => RendezvousServer.Start(server.LocalEndPoint));
        Assert.Equal(TunnelFailure.Local, error.Reason);
        Assert.Contains(server.LocalEndPoint.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_stopped_leaves_its_port_free()
    {
        RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        IPEndPoint address = server.LocalEndPoint;
        await server.DisposeAsync();
        Assert.True(server.Stopped.IsCompletedSuccessfully);
        await using RendezvousServer next = RendezvousServer.Start(address);
        Assert.Equal(address, next.LocalEndPoint);
    }

    private async Task<TunnelEndpoint> OpenAsync(PrivateIdentity identity, RendezvousServer server) => await TunnelEndpoint.OpenAsync(
        new TunnelOptions
        {
            Identity = identity,
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Rendezvous = new ServerName("127.0.0.1", (ushort)server.LocalEndPoint.Port),
            AllowDirectPaths = false,
        },
        _token);
}
