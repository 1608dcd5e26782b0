using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>What a directory that lies, repeats or floods can have servers do: little, and nothing to those who never used it.</summary>
public sealed class HostileDirectoryTests : IDisposable
{
    private readonly FleetWorld _world = new(servers: 3);

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Spec", "RDV-47")]
    public void Nothing_but_a_question_is_sent_to_an_address_that_the_directory_made_up()
    {
        NetworkAddress victim = RendezvousWorld.Address("192.0.2.66:53");
        _world.Tamper = message => FleetWorld.WithServerAddress(message, victim);
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
    [Trait("Spec", "RDV-50")]
    public void A_peer_is_not_told_of_a_private_address_that_the_directory_made_up()
    {
        FleetWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[1], isRegistering: true);
        FleetWorld.Peer initiator = _world.AddPeer("10.0.0.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();

        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.False(responder.Take<OfferReceived>().Initiator.IsUsable);
    }

    [Fact]
    [Trait("Spec", "RDV-47")]
    public void A_peer_cannot_be_made_the_other_end_of_a_trunk()
    {
        FleetWorld.Peer victim = _world.AddPeer("198.51.100.9:9000", _world.Servers[0], isRegistering: true);
        _world.Settle();
        _world.Tamper = message => FleetWorld.WithServerAddress(message, victim.Address);

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
}
