using System.Net;
using System.Text;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;
using P2PMigrate.Tunnel.Endpoint;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>A server that lies, drops or replays can delay, and no more: spec chapter 08, section 8. The peers have no other path.</summary>
public sealed class DishonestServerTests : IAsyncDisposable
{
    private const int CarriedInDelivery = 12 + 8 + 7 + 7; // header, leg, two IPv4 addresses
    private static readonly IPEndPoint s_anyPort = new(IPAddress.Loopback, 0);

    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly DishonestSocket _socket = new(DatagramSocket.Open(s_anyPort));
    private readonly RendezvousServer _server;
    private readonly List<(TunnelEndpoint Endpoint, PrivateIdentity Identity)> _peers = [];
    private readonly Random _random = new(1);

    public DishonestServerTests() => _server = RendezvousServer.Start(_socket, options: null, logger: null, time: null);

    public async ValueTask DisposeAsync()
    {
        foreach ((TunnelEndpoint endpoint, PrivateIdentity identity) in _peers)
        {
            await endpoint.DisposeAsync();
            identity.Dispose();
        }

        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_drops_and_repeats_what_it_likes_delays_a_meeting_and_no_more()
    {
        TunnelEndpoint source = Open(), target = await OpenRegisteredAsync();
        _socket.Say = (to, datagram) => Enumerable.Repeat((to, datagram), _random.Next(10) switch { < 3 => 0, < 6 => 3, _ => 1 });

        await (await ConnectAsync(source, target)).EchoAsync(new byte[20_000], _token);
    }

    [Theory]
    [InlineData(RendezvousMessageType.OfferDelivery, 4)]
    [InlineData(RendezvousMessageType.AnswerDelivery, 1)]
    [InlineData(RendezvousMessageType.AnswerDelivery, 2)]
    [InlineData(RendezvousMessageType.AnswerDelivery, 6)]
    public async Task A_server_that_alters_handshakes_neither_gets_between_the_peers_nor_makes_them_agree_on_less(RendezvousMessageType altered, int lies)
    {
        TunnelEndpoint source = Open(), target = await OpenRegisteredAsync();
        (TunnelSession honest, _) = await ConnectAsync(source, target);
        _socket.Say = (to, datagram) =>
        {
            byte[] said = [.. datagram];
            if (said[0] == FirstByte.Rendezvous && said[1] == (byte)altered && Interlocked.Decrement(ref lies) >= 0)
                said[_random.Next(CarriedInDelivery, said.Length)] ^= (byte)(1 << _random.Next(8));
            return [(to, said)];
        };

        Conversation met = await ConnectAsync(source, target); // at the first attempt: what is not genuine counts for nothing

        Assert.Equal((target.PeerId, honest.Suite), (met.Near.Peer, met.Near.Suite));
        Assert.Equal((source.PeerId, honest.Suite), (met.Far.Peer, met.Far.Suite));
        await met.EchoAsync(new byte[20_000], _token);
    }

    [Fact]
    public async Task A_server_that_hands_an_offer_to_somebody_else_makes_no_session_with_it()
    {
        TunnelEndpoint source = Open(), target = await OpenRegisteredAsync(), impostor = await OpenRegisteredAsync();
        NetworkAddress there = AddressOf(impostor);
        int stolen = 0;
        _socket.Say = (to, datagram) => IsOfferDelivery(datagram) && Interlocked.Increment(ref stolen) <= 4 ? [(there, datagram)] : [(to, datagram)];
        Task<TunnelSession> deceived = impostor.AcceptAsync(_token).AsTask();

        (TunnelSession near, _) = await ConnectAsync(source, target); // with the repetitions after the theft

        Assert.Equal(target.PeerId, near.Peer);
        Assert.True(stolen > 4);
        Assert.False(deceived.IsCompleted);
    }

    [Fact]
    public async Task A_server_that_plays_an_old_offer_again_gets_no_second_session()
    {
        TunnelEndpoint source = Open(), target = await OpenRegisteredAsync();
        (TunnelSession first, TunnelSession firstFar) = await ConnectAsync(source, target);
        await first.DisposeAsync();
        await firstFar.Completion;
        byte[] old = _socket.Seen.Last(IsOfferDelivery);
        NetworkAddress there = AddressOf(target);
        _socket.Say = (to, datagram) => IsOfferDelivery(datagram) ? [.. Enumerable.Repeat((there, old), 20), (to, datagram)] : [(to, datagram)];
        TunnelEndpoint other = Open();

        (TunnelSession near, TunnelSession next) = await ConnectAsync(other, target);

        Assert.Equal((other.PeerId, target.PeerId), (next.Peer, near.Peer)); // what was accepted next is the new one
        Assert.NotEqual(first.Ticket, next.Ticket);
    }

    [Fact]
    public async Task A_server_that_writes_everything_down_has_not_one_line_of_what_was_said()
    {
        TunnelEndpoint source = Open(), target = await OpenRegisteredAsync();
        byte[] line = Encoding.ASCII.GetBytes("nobody but the two of us shall ever read this line. ");

        await (await ConnectAsync(source, target)).EchoAsync([.. Enumerable.Repeat(line, 500).SelectMany(each => each)], _token);

        Assert.True(_socket.Seen.Sum(datagram => datagram.Length) > 2 * 500 * line.Length);
        Assert.DoesNotContain(_socket.Seen, datagram => datagram.AsSpan().IndexOf(line.AsSpan(0, 12)) >= 0);
    }

    [Fact]
    public async Task A_server_that_denies_a_peer_is_told_apart_from_none_and_that_is_all_it_gains()
    {
        TunnelEndpoint source = Open(), target = await OpenRegisteredAsync();
        _socket.Say = (to, datagram) => datagram[0] == FirstByte.Rendezvous && datagram[1] == (byte)RendezvousMessageType.Status
            ? [(to, [.. datagram[..12], 2, .. datagram[13..]])]
            : [(to, datagram)];
        Ticket ticket = await target.IssueTicketAsync(TimeSpan.FromMinutes(5), _token);

        // The lie and the answer race; the peers either meet or the caller hears of a peer that is unknown.
        try
        {
            await using TunnelSession near = await source.DialAsync(ticket, _token);
            Assert.Equal(target.PeerId, near.Peer);
        }
        catch (TunnelException refused)
        {
            Assert.Equal(TunnelFailure.PeerUnknown, refused.Reason);
        }
    }

    private static bool IsOfferDelivery(byte[] datagram) => datagram[0] == FirstByte.Rendezvous && datagram[1] == (byte)RendezvousMessageType.OfferDelivery;

    private static NetworkAddress AddressOf(TunnelEndpoint endpoint) => NetworkAddress.From(endpoint.LocalEndPoint);

    private TunnelEndpoint Open()
    {
        PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        var options = new TunnelOptions
        {
            Identity = identity,
            Listen = s_anyPort,
            Rendezvous = new ServerName("127.0.0.1", (ushort)_server.LocalEndPoint.Port),
            AllowDirectPaths = false,
        };
        TunnelEndpoint endpoint = TunnelEndpoint.Open(options, DatagramSocket.Open(s_anyPort), new ServerAddresses(NetworkAddress.From(_server.LocalEndPoint)));
        _peers.Add((endpoint, identity));
        return endpoint;
    }

    private async Task<TunnelEndpoint> OpenRegisteredAsync()
    {
        TunnelEndpoint endpoint = Open();
        await endpoint.WaitRegisteredAsync(_token);
        return endpoint;
    }

    private Task<Conversation> ConnectAsync(TunnelEndpoint source, TunnelEndpoint target) => Conversation.BeginAsync(source, target, _token);
}
