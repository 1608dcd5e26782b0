using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>Peers of different servers meet, as long as the directory lets them; those of one server always do.</summary>
public sealed class FleetTests : IDisposable
{
    private readonly FleetWorld _world = new(servers: 3);

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Spec", "RDV-42")]
    public void A_handshake_travels_between_servers_and_each_peer_hears_from_its_own_server_only()
    {
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();

        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        OfferReceived offer = responder.Take<OfferReceived>();
        responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
        _world.Settle();
        AnswerReceived answer = initiator.Take<AnswerReceived>();

        Assert.Equal(initiator.Address, offer.Initiator);
        Assert.Equal(RendezvousWorld.Init(), offer.Init.ToArray());
        Assert.Equal((transaction, responder.Address), (answer.Transaction, answer.Responder));
        Assert.Equal(RendezvousWorld.Response(), answer.Datagram.ToArray());
        Assert.DoesNotContain(_world.Sent, sent => sent.To == initiator.Address && sent.From != initiator.Server);
        Assert.DoesNotContain(_world.Sent, sent => sent.To == responder.Address && sent.From != responder.Server);
        Assert.Equal(1, _world.Servers[0].Core.Statistics.OffersPassedOn);
        Assert.Equal(1, _world.Servers[1].Core.Statistics.OffersTakenOver);
    }

    [Fact]
    [Trait("Spec", "RDV-46")]
    public void Frames_go_through_both_servers_in_both_directions()
    {
        (FleetWorld.Peer initiator, RelayLegId near, FleetWorld.Peer responder, RelayLegId far) = _world.Meet();

        _world.Relay(initiator, near, [1, 2, 3]);
        _world.Relay(responder, far, [4]);

        Assert.Equal([1, 2, 3], Inner(Assert.Single(responder.Frames), far));
        Assert.Equal([4], Inner(Assert.Single(initiator.Frames), near));
        Assert.NotEqual(near, far);
    }

    [Theory]
    [Trait("Spec", "RDV-45")]
    [InlineData("[100::c633:6401]:1", "198.51.100.2:2000")]
    [InlineData("198.51.100.1:1000", "[100::c633:6402]:2")]
    [InlineData("[100::2001:db8:0:1]:1", "[100::c633:6402]:2")]
    public void Peers_that_come_by_TLS_meet_across_servers(string initiatorAddress, string responderAddress)
    {
        (FleetWorld.Peer initiator, RelayLegId near, FleetWorld.Peer responder, RelayLegId far) = _world.Meet(initiatorAddress, responderAddress);

        _world.Relay(initiator, near, [1, 2, 3]);
        _world.Relay(responder, far, [4]);

        Assert.Equal([1, 2, 3], Inner(Assert.Single(responder.Frames), far));
        Assert.Equal([4], Inner(Assert.Single(initiator.Frames), near));
    }

    [Fact]
    [Trait("Spec", "RDV-45")]
    public void A_server_is_not_at_the_end_of_a_stream()
    {
        // An address of IPv6 is longer than the one that the message has.
        _world.Tamper = message => message[1] == (byte)FleetMessageKind.Offer
            ? FleetWorld.WithServerAddress([.. message[..20], .. new byte[12], .. message[20..]], RendezvousWorld.Address("[100::c633:6409]:9"))
            : message;
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();

        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.Empty(responder.Events.OfType<OfferReceived>());
    }

    [Fact]
    [Trait("Spec", "RDV-47")]
    public void A_lost_question_about_a_trunk_is_asked_again_when_frames_wait_for_it()
    {
        int kept = 0;
        _world.Lose = datagram => datagram[1] == (byte)RendezvousMessageType.TrunkCheck && datagram[0] == FirstByte.Rendezvous && kept++ < 2;
        (FleetWorld.Peer initiator, RelayLegId near, FleetWorld.Peer responder, _) = _world.Meet();

        for (int count = 0; count < 10; count++)
        {
            _world.Relay(initiator, near, [1]);
            _world.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(responder.Frames.Count, 6, 9);
    }

    [Fact]
    [Trait("Spec", "RLY-06")]
    public void Frames_for_a_server_that_does_not_answer_keep_no_channel_open()
    {
        _world.Tamper = message => FleetWorld.WithServerAddress(message, RendezvousWorld.Address("192.0.2.66:53"));
        (FleetWorld.Peer initiator, RelayLegId near, FleetWorld.Peer responder, RelayLegId far) = _world.Meet();
        for (int second = 0; second < 70; second += 10)
        {
            _world.Relay(initiator, near, [1]);
            _world.Relay(responder, far, [1]);
            _world.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(0, _world.Servers[0].Core.Statistics.Channels);
        Assert.Equal(0, _world.Servers[1].Core.Statistics.Channels);
    }

    [Fact]
    [Trait("Spec", "RLY-23")]
    public void A_channel_by_name_is_at_one_server()
    {
        ChannelName name = ChannelName.Of(new byte[32]);
        FleetWorld.Peer[] peers = [.. ((int[])[0, 1, 0]).Select((server, index) => _world.AddPeer($"198.51.100.{index + 1}:1000", _world.Servers[server], isRegistering: false))];
        _world.Settle();
        foreach (FleetWorld.Peer peer in peers)
            peer.Client.Join(_world.Now, name, isInitiator: peer == peers[0], RelayLegId.None);
        _world.Settle();

        _world.Relay(peers[0], peers[0].Take<ChannelJoined>().Leg, [1]);

        Assert.Empty(peers[1].Frames);
        Assert.Single(peers[2].Frames);
    }

    [Fact]
    [Trait("Spec", "RDV-42")]
    public void A_peer_that_is_nowhere_is_told_at_once()
    {
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);

        TransactionId transaction = initiator.Client.Offer(_world.Now, initiator.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.Contains(new OfferRefused(transaction), initiator.Events);
    }

    [Fact]
    [Trait("Spec", "RDV-41")]
    public void A_peer_that_left_is_told_at_once_too()
    {
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();
        responder.Client.Leave();
        _world.Settle();

        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.Contains(new OfferRefused(transaction), initiator.Events);
        Assert.Empty(_world.Carried);
    }

    [Fact]
    [Trait("Spec", "RDV-43")]
    public void An_entry_that_is_wrong_is_corrected_by_the_server_that_it_names()
    {
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();
        _world.Peers.Remove(responder);
        _world.IsDirectoryUp = false;
        _world.Advance(TimeSpan.FromSeconds(62)); // the entries of this directory do not expire
        _world.IsDirectoryUp = true;

        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.Contains(new OfferRefused(transaction), initiator.Events);
        Assert.Equal(2, _world.Carried.Count); // the offer, and unknown
    }

    [Fact]
    [Trait("Spec", "RDV-41")]
    public void A_peer_that_goes_to_another_server_is_found_there()
    {
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();
        _world.Kill(_world.Servers[1]);
        TransactionId early = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        Assert.Contains(new OfferRefused(early), initiator.Events);

        FleetWorld.Peer moved = _world.AddPeer("198.51.100.2:2001", _world.Servers[1], isRegistering: true, responder.Identity);
        _world.Settle();
        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.Single(moved.Events.OfType<OfferReceived>());
    }

    [Fact]
    [Trait("Spec", "RDV-11")]
    public void An_offer_follows_its_peer_from_server_to_server_and_gets_a_channel_there()
    {
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();
        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        foreach (FleetWorld.Server next in (FleetWorld.Server[])[_world.Servers[2], _world.Servers[0]])
        {
            FleetWorld.Peer moved = _world.AddPeer($"198.51.100.2:{next.Address.Port + _world.Peers.Count}", next, isRegistering: true, responder.Identity);
            _world.Advance(TimeSpan.FromSeconds(2));
            OfferReceived offer = moved.Take<OfferReceived>();
            moved.Client.Answer(offer.Offer, RendezvousWorld.Response());
            _world.Settle();
            RelayLegId near = initiator.Take<AnswerReceived>().Leg;
            initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());

            _world.Relay(initiator, near, [1]);
            Assert.Equal([1], Inner(Assert.Single(moved.Frames), offer.Leg));
        }
    }

    [Fact]
    [Trait("Spec", "RDV-42")]
    public void The_channel_to_where_a_peer_was_is_not_given_out_when_it_has_gone_to_a_server_without_room()
    {
        _world.Tamper = message =>
        {
            if (message[1] == (byte)FleetMessageKind.Answer)
                message.AsSpan(20, 8).Clear(); // That server opened no channel.
            return message;
        };
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[0], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();
        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        Assert.NotEqual(RelayLegId.None, responder.Take<OfferReceived>().Leg);
        responder.Client.Leave();
        FleetWorld.Peer moved = _world.AddPeer("198.51.100.2:2001", _world.Servers[1], isRegistering: true, responder.Identity);
        _world.Advance(TimeSpan.FromSeconds(2));

        moved.Client.Answer(moved.Take<OfferReceived>().Offer, RendezvousWorld.Response());
        _world.Settle();

        Assert.Equal(RelayLegId.None, initiator.Take<AnswerReceived>().Leg);
    }

    [Fact]
    [Trait("Spec", "RDV-40")]
    public void Without_the_directory_the_peers_of_one_server_go_on_meeting_and_others_are_told_to_try_again()
    {
        _world.IsDirectoryUp = false;
        FleetWorld.Peer near = _world.AddPeer("198.51.100.2:2000", _world.Servers[0], isRegistering: true);
        FleetWorld.Peer far = _world.AddPeer("198.51.100.3:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();

        initiator.Client.Offer(_world.Now, near.Id, RendezvousWorld.Init());
        TransactionId toFar = initiator.Client.Offer(_world.Now, far.Id, RendezvousWorld.Init());
        _world.Advance(TimeSpan.FromSeconds(3));

        Assert.NotEmpty(near.Events.OfType<OfferReceived>());
        Assert.Empty(far.Events.OfType<OfferReceived>());
        Assert.DoesNotContain(new OfferRefused(toFar), initiator.Events);

        _world.RestoreEmptyDirectory();
        _world.Advance(TimeSpan.FromSeconds(6));
        Assert.NotEmpty(far.Events.OfType<OfferReceived>());
    }

    [Fact]
    [Trait("Spec", "RDV-41")]
    public void The_directory_hears_of_a_peer_again_before_its_entry_is_too_old_and_not_with_every_refresh()
    {
        int announced = 0;
        using var world = new FleetWorld(servers: 1) { Announced = _ => announced++ };
        world.AddPeer("198.51.100.2:2000", world.Servers[0], isRegistering: true);

        world.Advance(TimeSpan.FromSeconds(601));

        Assert.Equal(1 + 15, announced);
    }

    private static byte[] Inner(byte[] frame, RelayLegId expected)
    {
        Assert.True(RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _));
        Assert.Equal(expected, leg);
        return inner.ToArray();
    }
}
