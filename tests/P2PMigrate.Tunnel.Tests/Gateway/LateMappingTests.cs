using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;
using P2PMigrate.Tunnel.Tests.Endpoint;

namespace P2PMigrate.Tunnel.Tests.Gateway;

/// <summary>A port that a gateway maps is told to the peer, whenever the gateway answers.</summary>
public sealed class LateMappingTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public enum Moment
    {
        BeforeTheDial,
        WhileItsMessageIsUnderWay,
        WithASession,
    }

    // The gateway answers within milliseconds, as a handshake does: the middle case is the usual one.
    [Theory]
    [InlineData(Moment.BeforeTheDial)]
    [InlineData(Moment.WhileItsMessageIsUnderWay)]
    [InlineData(Moment.WithASession)]
    [Trait("Spec", "PATH-51")]
    public async Task A_port_that_the_initiators_gateway_maps_is_probed_by_the_responder(Moment moment)
    {
        await using Peers peers = await Peers.OpenAsync();
        await using var gateway = new PromptGateway();
        TunnelEndpoint initiator = await peers.OpenOneAsync(DatagramSocket.Open, mapper: gateway);
        using Socket outside = Bind();
        var mapped = new Candidate(CandidateKind.Mapped, NetworkAddress.From((IPEndPoint)outside.LocalEndPoint!));
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, Peers.Token);

        if (moment == Moment.BeforeTheDial)
            gateway.Map(mapped);
        peers.FirewallOf(initiator).Passes = _ => moment == Moment.BeforeTheDial;
        ValueTask<TunnelSession> dialling = initiator.DialAsync(ticket, Peers.Token);
        if (moment == Moment.WhileItsMessageIsUnderWay)
            gateway.Map(mapped);
        peers.FirewallOf(initiator).Passes = _ => true; // Message 1 is lost, and sent again.
        await using TunnelSession session = await dialling;
        if (moment == Moment.WithASession)
            gateway.Map(mapped);

        var from = (IPEndPoint)(await outside.ReceiveFromAsync(new byte[2048], SocketFlags.None, new IPEndPoint(IPAddress.Any, 0)).WaitAsync(s_patience)).RemoteEndPoint;
        Assert.Equal(peers.Target.LocalEndPoint.Port, from.Port);
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
