using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

public sealed class RelayTests : IDisposable
{
    private readonly RendezvousWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Spec", "RLY-02")]
    public void A_frame_comes_out_at_the_other_leg_under_that_legs_id()
    {
        (RendezvousWorld.Peer initiator, RelayLegId initiatorLeg, RendezvousWorld.Peer responder, RelayLegId responderLeg) = _world.Meet();

        Assert.True(_world.Relay(initiator, initiatorLeg, [1, 2, 3], out NetworkAddress destination, out byte[] frame, out _));
        AssertFrame(responder.Address, responderLeg, [1, 2, 3], destination, frame);

        Assert.True(_world.Relay(responder, responderLeg, [4], out destination, out frame, out _));
        AssertFrame(initiator.Address, initiatorLeg, [4], destination, frame);
    }

    [Fact]
    [Trait("Spec", "RLY-03")]
    public void A_frame_of_no_open_leg_goes_nowhere()
    {
        (RendezvousWorld.Peer initiator, RelayLegId leg, _, _) = _world.Meet();

        Assert.False(_world.Relay(initiator, new RelayLegId(leg.Value ^ 1), [1], out _, out _, out Refusal refusal));

        Assert.Equal(Refusal.Unexpected, refusal);
    }

    [Fact]
    [Trait("Spec", "RLY-05")]
    public void A_leg_moves_to_a_new_address_only_after_that_address_answered()
    {
        (RendezvousWorld.Peer initiator, RelayLegId initiatorLeg, RendezvousWorld.Peer responder, RelayLegId responderLeg) = _world.Meet();
        NetworkAddress old = initiator.Address;
        initiator.Address = RendezvousWorld.Address("198.51.100.1:1001");

        Assert.True(_world.Relay(initiator, initiatorLeg, [1], out _, out _, out _));
        Assert.True(_world.Relay(responder, responderLeg, [2], out NetworkAddress destination, out _, out _));
        Assert.Equal(old, destination);

        _world.Settle();
        Assert.True(_world.Relay(responder, responderLeg, [3], out destination, out _, out _));
        Assert.Equal(initiator.Address, destination);
    }

    [Fact]
    [Trait("Spec", "RLY-04")]
    public void Whoever_guesses_or_overhears_a_leg_cannot_have_others_flooded()
    {
        (_, RelayLegId initiatorLeg, RendezvousWorld.Peer responder, RelayLegId responderLeg) = _world.Meet();
        NetworkAddress victim = RendezvousWorld.Address("203.0.113.5:53");
        byte[] frame = [.. new byte[RelayFrame.HeaderSize], 1];
        int sentToVictim = 0;
        for (int count = 0; count < 100; count++)
        {
            RelayFrame.WriteHeader(frame, initiatorLeg);
            _world.Server.TryRelay(_world.Now, victim, frame, out _, out _);
            Assert.True(_world.Relay(responder, responderLeg, new byte[1000], out NetworkAddress destination, out _, out _));
            sentToVictim += destination == victim ? 1008 : 0;
            while (_world.Server.TryPollTransmit(new byte[1200], out destination, out int length))
            {
                sentToVictim += destination == victim ? length : 0;
            }
        }

        Assert.Equal(LegMessage.Size, sentToVictim); // one question
        Assert.Equal(Refusal.Unexpected, _world.SendToServer(victim, Confirm(1234, initiatorLeg)));
    }

    [Fact]
    [Trait("Spec", "RLY-05")]
    public void The_owner_of_both_legs_cannot_move_one_to_another_client_of_the_server()
    {
        (RendezvousWorld.Peer attacker, RelayLegId near, RendezvousWorld.Peer accomplice, RelayLegId far) = _world.Meet();
        RendezvousWorld.Peer victim = _world.AddPeer("203.0.113.5:5000", isRegistering: true);
        _world.Settle();
        NetworkAddress own = attacker.Address;

        attacker.Address = victim.Address; // the source that it writes into one datagram
        Assert.True(_world.Relay(attacker, near, [1], out _, out _, out _));
        attacker.Address = own;
        _world.Settle();

        Assert.Contains(_world.Sent, sent => sent.Client == victim.Address && sent.Datagram[1] == (byte)RendezvousMessageType.LegCheck);
        Assert.DoesNotContain(_world.Sent, sent => sent.Client == victim.Address && sent.Datagram[1] == (byte)RendezvousMessageType.LegConfirm);
        Assert.True(_world.Relay(accomplice, far, new byte[1000], out NetworkAddress destination, out _, out _));
        Assert.Equal(own, destination);
    }

    [Fact]
    [Trait("Spec", "RLY-05")]
    public void A_client_answers_for_a_leg_that_it_was_given_again()
    {
        (RendezvousWorld.Peer initiator, RelayLegId near, RendezvousWorld.Peer responder, RelayLegId far) = _world.Meet();
        _world.RestartServer();
        ChannelName name = ChannelName.Of(new byte[32]);
        initiator.Client.Join(_world.Now, name, isInitiator: true, near);
        responder.Client.Join(_world.Now, name, isInitiator: false, far);
        _world.Settle();
        responder.Address = RendezvousWorld.Address("198.51.100.2:2001");

        Assert.True(_world.Relay(responder, responder.Take<ChannelJoined>().Leg, [1], out _, out _, out _));
        _world.Settle();

        Assert.True(_world.Relay(initiator, initiator.Take<ChannelJoined>().Leg, [1], out NetworkAddress destination, out _, out _));
        Assert.Equal(responder.Address, destination);
    }

    [Fact]
    [Trait("Spec", "RLY-06")]
    public void A_channel_is_closed_when_it_is_idle_or_never_answered()
    {
        (RendezvousWorld.Peer initiator, RelayLegId leg, RendezvousWorld.Peer responder, _) = _world.Meet();
        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        Assert.Equal(2, _world.Server.Statistics.Channels);

        _world.Advance(_world.Options.ChannelAnswerTimeout + TimeSpan.FromSeconds(2));
        Assert.Equal(1, _world.Server.Statistics.Channels);

        for (int count = 0; count < 5; count++)
        {
            Assert.True(_world.Relay(initiator, leg, [1], out _, out _, out _));
            _world.Advance(TimeSpan.FromSeconds(30));
        }

        _world.Advance(_world.Options.ChannelIdleTimeout);
        Assert.Equal(0, _world.Server.Statistics.Channels);
        Assert.False(_world.Relay(initiator, leg, [1], out _, out _, out _));
    }

    [Fact]
    [Trait("Spec", "RLY-06")]
    public void Channels_of_one_network_of_64_bits_share_one_limit()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxChannelsPerHost = 2 });
        RendezvousWorld.Peer responder = world.AddPeer("198.51.100.2:2000", isRegistering: true);
        for (int index = 1; index <= 4; index++)
            world.AddPeer($"[2001:db8::{index}]:1000", isRegistering: false);
        world.Settle();
        foreach (RendezvousWorld.Peer initiator in world.Peers.Skip(1))
            initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());

        world.Settle();

        Assert.Equal(2, world.Server.Statistics.Channels);
        Assert.Equal(4, responder.Events.OfType<OfferReceived>().Count());
    }

    [Theory]
    [Trait("Spec", "RLY-13")]
    [InlineData("198.51.100.1:1000")]
    [InlineData("[2001:db8:1:2:3::4]:1000")]
    [InlineData("[::1]:1000")]
    public void A_host_has_one_limit_whether_it_comes_by_UDP_or_by_TLS(string text)
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxChannelsPerHost = 2 });
        RendezvousWorld.Peer responder = world.AddPeer("198.51.100.2:2000", isRegistering: true);
        NetworkAddress host = RendezvousWorld.Address(text);
        foreach (NetworkAddress address in (NetworkAddress[])[host, host.WithPort(1001), NetworkAddress.ForStream(host, 1), NetworkAddress.ForStream(host, 2)])
            world.AddPeer(text, isRegistering: false).Address = address;
        RendezvousWorld.Peer other = world.AddPeer("198.51.100.9:1000", isRegistering: false);
        other.Address = NetworkAddress.ForStream(other.Address, 1);
        world.Settle();
        foreach (RendezvousWorld.Peer initiator in world.Peers.Skip(1))
            initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());

        world.Settle();

        Assert.Equal(2 + 1, world.Server.Statistics.Channels);
        Assert.Equal(4 + 1, responder.Events.OfType<OfferReceived>().Count());
    }

    [Fact]
    [Trait("Spec", "RLY-06")]
    public void Channels_are_limited_in_number_for_all_and_for_each_host()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxChannels = 3, MaxChannelsPerHost = 2 });
        RendezvousWorld.Peer responder = world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer greedy = world.AddPeer("198.51.100.1:1000", isRegistering: false);
        RendezvousWorld.Peer other = world.AddPeer("198.51.100.3:1000", isRegistering: false);
        world.Settle();
        foreach (RendezvousWorld.Peer peer in (RendezvousWorld.Peer[])[greedy, greedy, greedy, other, other])
        {
            peer.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());
        }

        world.Settle();

        Assert.Equal(3, world.Server.Statistics.Channels);
        Assert.Equal(2, responder.Events.OfType<OfferReceived>().Count(offer => offer.Leg == RelayLegId.None));
        Assert.Equal(2, responder.Events.OfType<OfferReceived>().Count(offer => offer.Leg != RelayLegId.None && offer.Initiator == greedy.Address));
    }

    [Fact]
    [Trait("Spec", "RLY-06")]
    public void A_channel_is_held_to_its_rate()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { RelayBytesPerSecond = 10_000, RelayBurst = 2_016 });
        (RendezvousWorld.Peer initiator, RelayLegId leg, _, _) = world.Meet();

        Assert.True(world.Relay(initiator, leg, new byte[1000], out _, out _, out _));
        Assert.True(world.Relay(initiator, leg, new byte[1000], out _, out _, out _));
        Assert.False(world.Relay(initiator, leg, new byte[1000], out _, out _, out Refusal refusal));
        Assert.Equal(Refusal.Busy, refusal);
        Assert.Equal(1, world.Server.Statistics.FramesDropped);

        world.Advance(TimeSpan.FromMilliseconds(101));
        Assert.True(world.Relay(initiator, leg, new byte[1000], out _, out _, out _));
    }

    [Fact]
    [Trait("Spec", "RLY-01")]
    public void The_header_has_the_documented_bytes()
    {
        byte[] frame = new byte[10];
        RelayFrame.WriteHeader(frame, new RelayLegId(0x11223344556677));

        Assert.Equal("7077665544332211", Convert.ToHexString(frame, 0, 8));
        Assert.True(RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _));
        Assert.Equal((0x11223344556677ul, 2), (leg.Value, inner.Length));
        for (int length = 0; length <= RelayFrame.HeaderSize; length++)
        {
            Assert.False(RelayFrame.TryParse(frame.AsSpan(0, length), out _, out _, out Refusal refusal));
            Assert.Equal(Refusal.Truncated, refusal);
        }
    }

    private static byte[] Confirm(ulong nonce, RelayLegId leg)
    {
        byte[] message = new byte[LegMessage.Size];
        new LegMessage(nonce, leg).Write(message, RendezvousMessageType.LegConfirm);
        return message;
    }

    private static void AssertFrame(NetworkAddress expected, RelayLegId expectedLeg, byte[] expectedInner, NetworkAddress destination, byte[] frame)
    {
        Assert.Equal(expected, destination);
        Assert.True(RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _));
        Assert.Equal(expectedLeg, leg);
        Assert.Equal(expectedInner, inner);
    }
}
