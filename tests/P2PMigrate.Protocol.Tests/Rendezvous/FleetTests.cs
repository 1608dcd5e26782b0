using P2PMigrate.Protocol.Identity;
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
            ? WithServerAddress([.. message[..20], .. new byte[12], .. message[20..]], RendezvousWorld.Address("[100::c633:6409]:9"))
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
    public void Nothing_but_a_question_is_sent_to_an_address_that_the_directory_made_up()
    {
        NetworkAddress victim = RendezvousWorld.Address("192.0.2.66:53");
        _world.Tamper = message => WithServerAddress(message, victim);
        (FleetWorld.Peer initiator, RelayLegId near, FleetWorld.Peer responder, RelayLegId far) = _world.Meet();
        for (int count = 0; count < 50; count++)
        {
            _world.Relay(initiator, near, new byte[1000]);
            _world.Relay(responder, far, new byte[1000]);
        }

        (NetworkAddress From, NetworkAddress To, byte[] Datagram)[] there = [.. _world.Sent.Where(sent => sent.To == victim)];
        Assert.InRange(there.Length, 1, 2); // one of each server
        Assert.All(there, sent => Assert.Equal((LegMessage.Size, (byte)RendezvousMessageType.TrunkCheck), (sent.Datagram.Length, sent.Datagram[1])));
        Assert.Empty(initiator.Frames);
        Assert.Empty(responder.Frames);
    }

    [Fact]
    [Trait("Spec", "RDV-47")]
    public void A_peer_cannot_be_made_the_other_end_of_a_trunk()
    {
        FleetWorld.Peer victim = _world.AddPeer("198.51.100.9:9000", _world.Servers[0], isRegistering: true);
        _world.Settle();
        _world.Tamper = message => WithServerAddress(message, victim.Address);

        (FleetWorld.Peer initiator, RelayLegId near, _, _) = _world.Meet();
        _world.Relay(initiator, near, new byte[1000]);

        Assert.Contains(_world.Sent, sent => sent.To == victim.Address && sent.Datagram[1] == (byte)RendezvousMessageType.TrunkCheck);
        Assert.DoesNotContain(_world.Sent, sent => sent.From == victim.Address && sent.Datagram[1] >= (byte)RendezvousMessageType.LegConfirm);
        Assert.Empty(victim.Frames);
    }

    [Fact]
    [Trait("Spec", "RDV-47")]
    public void A_server_confirms_no_trunk_that_it_does_not_have()
    {
        _world.Meet();
        byte[] buffer = new byte[64];
        int length = new LegMessage(5, new RelayLegId(77)).Write(buffer, RendezvousMessageType.TrunkCheck);

        Assert.Equal(Refusal.Unexpected, _world.Servers[0].Core.Handle(_world.Now, RendezvousWorld.Address("192.0.2.66:53"), buffer.AsSpan(0, length)));
        Assert.False(_world.Servers[0].Core.TryPollTransmit(new byte[1200], out _, out _));
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
        _world.Tamper = message => WithServerAddress(message, RendezvousWorld.Address("192.0.2.66:53"));
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

    [Fact]
    [Trait("Spec", "RDV-44")]
    public void Answers_that_nobody_waits_for_and_rubbish_are_dropped()
    {
        (FleetWorld.Peer initiator, _, _, _) = _world.Meet();
        RendezvousServerCore server = _world.Servers[0].Core;
        byte[] answer = _world.Carried.Single(message => message[1] == (byte)FleetMessageKind.Answer);
        byte[] wrongToken = [.. answer];
        wrongToken[4]++;

        Assert.Equal(Refusal.Unexpected, server.HandleFleetMessage(_world.Now, wrongToken));
        Assert.Equal(Refusal.Unexpected, _world.Servers[2].Core.HandleFleetMessage(_world.Now, answer));
        for (int length = 0; length < 43; length++)
            Assert.NotEqual(Refusal.None, server.HandleFleetMessage(_world.Now, answer.AsSpan(0, length)));
        Assert.Equal(Refusal.OverLimit, server.HandleFleetMessage(_world.Now, [.. answer, .. new byte[1200]]));
        Assert.False(server.TryPollTransmit(new byte[1200], out _, out _));
        Assert.Empty(initiator.Events.OfType<AnswerReceived>());
    }

    [Fact]
    [Trait("Spec", "RDV-45")]
    public void What_servers_say_to_each_other_is_not_taken_from_a_datagram()
    {
        _world.Meet();
        int before = _world.Sent.Count;
        Assert.All(_world.Carried, message => Assert.All(_world.Servers, server =>
            Assert.Equal(Refusal.WrongType, server.Core.Handle(_world.Now, RendezvousWorld.Address("192.0.2.66:53"), message))));
        _world.Settle();
        Assert.Equal(before, _world.Sent.Count);
    }

    [Fact]
    [Trait("Spec", "RDV-43")]
    public void Offers_that_the_directory_carries_are_held_to_the_rate_of_a_host()
    {
        using var world = new FleetWorld(servers: 2, new RendezvousServerOptions { OffersPerSecondAndHost = 3 });
        FleetWorld.Peer responder = world.AddPeer("198.51.100.2:2000", world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = world.AddPeer("198.51.100.1:1000", world.Servers[0], isRegistering: false);
        world.Settle();
        initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());
        world.Settle();
        for (int count = 0; count < 10; count++)
            world.Servers[1].Core.HandleFleetMessage(world.Now, world.Carried[0]);
        world.Settle();

        Assert.Equal(3, responder.Events.OfType<OfferReceived>().Count());
        Assert.Single(responder.Events.OfType<OfferReceived>().Select(offer => (offer.Offer, offer.Leg)).Distinct());
    }

    [Fact]
    [Trait("Spec", "RDV-43")]
    public void Whoever_writes_to_the_directory_cannot_flood_a_peer_or_shut_its_server_for_own_peers()
    {
        var options = new RendezvousServerOptions { MaxOffers = 200, MaxChannels = 20, MaxChannelsPerHost = 4 };
        using var world = new FleetWorld(servers: 1, options);
        FleetWorld.Server server = world.Servers[0];
        FleetWorld.Peer victim = world.AddPeer("198.51.100.2:2000", server, isRegistering: true);
        FleetWorld.Peer responder = world.AddPeer("198.51.100.3:2000", server, isRegistering: true);
        FleetWorld.Peer initiator = world.AddPeer("198.51.100.1:1000", server, isRegistering: false);
        world.Settle();
        for (uint host = 0; host < 20_000; host++)
        {
            // Hosts in turn, that of the server's own initiator among them.
            NetworkAddress source = host % 4 == 0 ? initiator.Address : NetworkAddress.FromBytes([10, (byte)(host >> 16), (byte)(host >> 8), (byte)host], 1);
            server.Core.HandleFleetMessage(world.Now, MadeUpOffer(host, source, victim.Id));
            world.Settle();
        }

        Assert.InRange(victim.Events.OfType<OfferReceived>().Count(), 1, 50);
        Assert.InRange(server.Core.Statistics.Channels, 1, 10);
        for (int count = 0; count < 8; count++)
        {
            world.Advance(TimeSpan.FromSeconds(1)); // offers stay for 30 s
            for (byte host = 1; host <= 100; host++)
            {
                server.Core.HandleFleetMessage(world.Now, MadeUpOffer((1000u * (uint)count) + host + 100_000, NetworkAddress.FromBytes([11, 0, (byte)count, host], 1), victim.Id));
                world.Settle();
            }
        }

        Assert.Equal(100, server.Core.Statistics.Offers);
        for (int count = 0; count < 4; count++)
            initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());
        world.Settle();
        Assert.Equal(4, responder.Events.OfType<OfferReceived>().Count(offer => offer.Leg != RelayLegId.None));
    }

    [Fact]
    [Trait("Spec", "RDV-44")]
    public void An_answer_that_the_directory_repeats_reaches_the_initiator_a_few_times_and_opens_few_channels()
    {
        (FleetWorld.Peer initiator, _, _, _) = _world.Meet();
        RendezvousServerCore server = _world.Servers[0].Core;
        byte[] answer = _world.Carried.Single(message => message[1] == (byte)FleetMessageKind.Answer);
        byte[] unknown = [.. answer[..20]];
        unknown[1] = (byte)FleetMessageKind.Unknown;
        for (int count = 0; count < 1000; count++)
        {
            answer[20] = (byte)count; // Another trunk.
            server.HandleFleetMessage(_world.Now, count % 2 == 0 ? answer : unknown);
            _world.Settle();
        }

        Assert.InRange(_world.Sent.Count(sent => sent.To == initiator.Address && sent.Datagram[1] is (byte)RendezvousMessageType.AnswerDelivery), 2, 8);
        Assert.InRange(_world.Sent.Count(sent => sent.To == initiator.Address && sent.Datagram[1] is (byte)RendezvousMessageType.Status), 1, 8);
        Assert.InRange(server.Statistics.Channels, 1, 8);
    }

    private static byte[] MadeUpOffer(ulong token, NetworkAddress initiator, PeerId target)
    {
        byte[] buffer = new byte[FleetHeader.MaxSize];
        WireWriter writer = new FleetHeader(FleetMessageKind.Offer, new OfferId(token), new ServerId(1)).Begin(buffer);
        new FleetOffer(RendezvousWorld.Address("203.0.113.9:3478"), target, initiator, RendezvousWorld.Init()).Write(ref writer);
        return buffer[..writer.Written];
    }

    private static byte[] Inner(byte[] frame, RelayLegId expected)
    {
        Assert.True(RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _));
        Assert.Equal(expected, leg);
        return inner.ToArray();
    }

    // All addresses here are IPv4, so they are encoded in the same number of bytes.
    private static byte[] WithServerAddress(byte[] message, NetworkAddress address)
    {
        int at = (FleetMessageKind)message[1] switch { FleetMessageKind.Offer => 20, FleetMessageKind.Answer => 28, _ => message.Length };
        if (at < message.Length)
        {
            var writer = new WireWriter(message.AsSpan(at));
            address.Encode(ref writer);
        }

        return message;
    }
}
