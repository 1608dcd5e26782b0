using System.Net;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>A server on the internet that says of each peer, to itself and to the other one, that it is somewhere else.</summary>
public sealed class LyingAboutAddressesTests : IAsyncDisposable
{
    private static readonly IPEndPoint s_anyPort = new(IPAddress.Loopback, 0);
    private static readonly NetworkAddress s_publicName = Address("198.51.100.1", 3478);

    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly RenamingSocket _socket = new(DatagramSocket.Open(s_anyPort));
    private readonly RendezvousServer _server;
    private readonly List<(TunnelEndpoint Endpoint, PrivateIdentity Identity)> _peers = [];

    public LyingAboutAddressesTests() => _server = RendezvousServer.Start(_socket, options: null, logger: null, time: null);

    public async ValueTask DisposeAsync()
    {
        foreach ((TunnelEndpoint endpoint, PrivateIdentity identity) in _peers)
        {
            await endpoint.DisposeAsync();
            identity.Dispose();
        }

        await _server.DisposeAsync();
    }

    [Theory]
    [Trait("Spec", "RDV-50")]
    [InlineData("192.168.1.1", "192.168.1.2", false)]
    [InlineData("203.0.113.1", "203.0.113.2", true)]
    public async Task Nobody_looks_among_his_neighbours_for_a_peer_that_a_server_on_the_internet_says_is_there(string ofSource, string ofTarget, bool isBelieved)
    {
        NetworkAddress saidOfSource = Address(ofSource, 1000), saidOfTarget = Address(ofTarget, 2000);
        (TunnelEndpoint source, RenamingSocket near) = Open(saidOfSource);
        (TunnelEndpoint target, RenamingSocket far) = Open(saidOfTarget);
        await target.WaitRegisteredAsync(_token);

        Conversation met = await Conversation.BeginAsync(source, target, _token); // by the server's relay: there is no other way
        do
            await met.EchoAsync(new byte[20_000], _token);
        while (isBelieved && !(near.Astray.Contains(saidOfTarget) && far.Astray.Contains(saidOfSource)));

        Assert.Equal(isBelieved, near.Astray.Contains(saidOfTarget));
        Assert.Equal(isBelieved, far.Astray.Contains(saidOfSource));
    }

    private static NetworkAddress Address(string host, int port) => NetworkAddress.From(IPAddress.Parse(host), (ushort)port);

    private (TunnelEndpoint Endpoint, RenamingSocket Socket) Open(NetworkAddress saidToBeAt)
    {
        PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        var options = new TunnelOptions { Identity = identity, Listen = s_anyPort, Rendezvous = new ServerName("198.51.100.1", s_publicName.Port) };
        var socket = new RenamingSocket(DatagramSocket.Open(s_anyPort));
        socket.Rename(_socket.Local, s_publicName);
        _socket.Rename(socket.Local, saidToBeAt);
        TunnelEndpoint endpoint = TunnelEndpoint.Open(options, socket, new ServerAddresses(s_publicName));
        _peers.Add((endpoint, identity));
        return (endpoint, socket);
    }
}
