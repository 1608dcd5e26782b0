using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using Peer = P2PMigrate.Protocol.Tests.Rendezvous.FleetWorld.Peer;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>
/// Whoever writes another's address into datagrams for a server cannot have more sent there than he sends himself. What was recorded of real
/// clients is the best that he can have: it has good codes, cookies, offer ids, legs and names.
/// </summary>
public sealed class AmplificationTests : IDisposable
{
    private static readonly NetworkAddress s_victim = RendezvousWorld.Address("192.0.2.99:53");
    private readonly FleetWorld _world = new(servers: 2);
    private readonly byte[] _buffer = new byte[2048];

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Spec", "RDV-02")]
    public void Whatever_was_ever_said_to_a_server_gets_an_address_that_has_proven_nothing_no_more_than_it_cost()
    {
        byte[][] said = [.. RecordEverything()];
        byte[] types = [.. said.Where(each => each[0] == FirstByte.Rendezvous).Select(each => each[1]).Distinct().Order()];
        Assert.Equal([1, 3, 5, 6, 9, 12, 13, 20, 24, 25], types); // all that a server takes
        Assert.Contains(said, each => each[0] == FirstByte.RelayFrame);

        foreach (FleetWorld.Server server in _world.Servers)
        {
            foreach (byte[] datagram in said)
            {
                int limit = datagram[0] == FirstByte.RelayFrame ? 3 * datagram.Length : datagram.Length; // spec: RLY-05
                int sent = BytesToVictim(server.Core, [.. datagram]);
                Assert.True(sent <= limit, $"{sent} bytes for {datagram.Length} of type {datagram[1]}");
            }
        }
    }

    [Fact]
    [Trait("Spec", "RLY-04")]
    public void Nobody_is_made_an_end_of_a_channel_or_a_place_of_registration_by_what_others_said()
    {
        byte[][] said = [.. RecordEverything()];
        foreach (FleetWorld.Server server in _world.Servers)
        {
            foreach (byte[] datagram in said)
                BytesToVictim(server.Core, [.. datagram]);
        }

        _world.Sent.Clear();
        Peer initiator = _world.Peers.Last();
        foreach (Peer peer in _world.Peers)
            initiator.Client.Offer(_world.Now, peer.Id, RendezvousWorld.Init());
        foreach (byte[] frame in said.Where(each => each[0] == FirstByte.RelayFrame))
        {
            Assert.True(RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _));
            _world.Relay(initiator, leg, inner.ToArray());
        }

        _world.Advance(TimeSpan.FromSeconds(3));
        Assert.NotEmpty(_world.Sent);
        Assert.DoesNotContain(_world.Sent, sent => sent.To == s_victim);
    }

    // Registering, meeting across servers, frames, a peer that moves, a channel by name, refreshing, echoes.
    private IEnumerable<byte[]> RecordEverything()
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = _world.Meet();
        _world.Relay(initiator, near, new byte[100]);
        _world.Relay(responder, far, new byte[1000]);
        initiator.Address = RendezvousWorld.Address("198.51.100.1:1001");
        _world.Relay(initiator, near, new byte[100]);
        initiator.Client.Join(_world.Now, ChannelName.Of(new byte[32]), isInitiator: true, near);
        responder.Client.Join(_world.Now, ChannelName.Of(new byte[32]), isInitiator: false, RelayLegId.None);
        _world.Advance(TimeSpan.FromSeconds(25));
        NetworkAddress[] servers = [.. _world.Servers.Select(server => server.Address)];
        return [.. _world.Sent.Where(sent => servers.Contains(sent.To)).Select(sent => sent.Datagram), Echo(responder)];
    }

    private byte[] Echo(Peer peer)
    {
        byte[] challenge = _world.Sent.Last(sent => sent.To == peer.Address && sent.Datagram[1] == (byte)RendezvousMessageType.Challenge).Datagram;
        Assert.True(ChallengeMessage.TryParse(challenge, out ChallengeMessage parsed, out _));
        int length = new EchoMessage(new TransactionId(7), parsed.Cookie, ServerSocket.Main, Target: default).Write(_buffer);
        return _buffer[..length];
    }

    private int BytesToVictim(RendezvousServerCore server, byte[] datagram)
    {
        if (datagram[0] != FirstByte.RelayFrame)
            server.Handle(_world.Now, s_victim, datagram);
        else if (server.TryRelay(_world.Now, s_victim, datagram, out NetworkAddress destination, out _))
            Assert.NotEqual(s_victim, destination);
        int bytes = 0;
        while (server.TryPollTransmit(_buffer, out NetworkAddress to, out int length))
            bytes += to == s_victim ? length : 0;
        while (server.TryPollAside(_buffer, out _, out NetworkAddress to, out int length))
            bytes += to == s_victim ? length : 0;
        return bytes;
    }
}
