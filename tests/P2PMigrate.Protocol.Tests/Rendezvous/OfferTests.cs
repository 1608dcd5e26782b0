using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

public sealed class OfferTests : IDisposable
{
    private readonly RendezvousWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Spec", "RDV-12")]
    public void A_handshake_travels_both_ways_and_each_side_gets_its_own_leg()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();

        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        OfferReceived offer = responder.Take<OfferReceived>();
        Assert.Equal(RendezvousWorld.Init(), offer.Init.ToArray());
        Assert.Equal(initiator.Address, offer.Initiator);

        responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
        _world.Settle();
        AnswerReceived answer = initiator.Take<AnswerReceived>();
        Assert.Equal((transaction, responder.Address), (answer.Transaction, answer.Responder));
        Assert.Equal(RendezvousWorld.Response(), answer.Datagram.ToArray());

        Assert.NotEqual(RelayLegId.None, offer.Leg);
        Assert.NotEqual(RelayLegId.None, answer.Leg);
        Assert.NotEqual(offer.Leg, answer.Leg);
        Assert.Equal(1, _world.Server.Statistics.Registrations); // the initiator stayed anonymous
    }

    // An address of one private network is another host's in another one.
    [Theory]
    [Trait("Spec", "RDV-50")]
    [InlineData("198.51.100.1:1000", "198.51.100.2:2000", true)]
    [InlineData("198.51.100.1:1000", "10.0.0.2:2000", true)]
    [InlineData("10.0.0.1:1000", "192.168.1.2:2000", true)]
    [InlineData("10.0.0.1:1000", "198.51.100.2:2000", false)]
    [InlineData("192.168.1.1:1000", "198.51.100.2:2000", false)]
    [InlineData("100.64.0.1:1000", "198.51.100.2:2000", false)]
    [InlineData("127.0.0.1:1000", "198.51.100.2:2000", false)]
    [InlineData("169.254.1.1:1000", "10.0.0.2:2000", false)]
    [InlineData("[fd00::1]:1000", "[2001:db8::2]:2000", false)]
    [InlineData("[fe80::1]:1000", "[fd00::2]:2000", false)]
    [InlineData("10.0.0.1:1000", "[100::c633:6402]:2", false)]
    public void A_peer_is_not_told_an_address_that_is_less_public_than_its_own(string initiatorAddress, string responderAddress, bool isTold)
    {
        foreach (bool isReversed in (bool[])[false, true])
        {
            using var world = new RendezvousWorld();
            RendezvousWorld.Peer responder = world.AddPeer(isReversed ? initiatorAddress : responderAddress, isRegistering: true);
            RendezvousWorld.Peer initiator = world.AddPeer(isReversed ? responderAddress : initiatorAddress, isRegistering: false);
            world.Settle();
            initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());
            world.Settle();
            OfferReceived offer = responder.Take<OfferReceived>();
            responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
            world.Settle();

            NetworkAddress told = isReversed ? initiator.Take<AnswerReceived>().Responder : offer.Initiator;
            Assert.Equal(isTold, told == (isReversed ? responder : initiator).Address);
            Assert.Equal(isTold, told.IsUsable);
        }
    }

    [Fact]
    [Trait("Spec", "PATH-79")]
    public void A_delivery_that_somebody_else_made_up_is_not_believed()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        Assert.True(NetworkAddress.TryParse("203.0.113.77:5000", out NetworkAddress victim));
        byte[] forged = new byte[RendezvousHeader.MaxSize];
        int length = new DeliveryMessage(7, RelayLegId.None, victim, responder.Address, RendezvousWorld.Init()).Write(forged, RendezvousMessageType.OfferDelivery);

        Assert.Equal(Refusal.NotAuthentic, responder.Client.Handle(_world.Now, forged.AsSpan(0, length + 16)));
        Assert.Empty(responder.Events.OfType<OfferReceived>());
    }

    [Fact]
    [Trait("Spec", "RDV-52")]
    public void An_answer_that_is_rejected_has_the_offer_repeated_at_once_and_no_storm_comes_of_it()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();
        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        int rejected = 0;
        for (Instant end = _world.Now + TimeSpan.FromSeconds(5); _world.Now < end; _world.Advance(TimeSpan.FromMilliseconds(10)))
        {
            _world.Settle();
            while (responder.Events.OfType<OfferReceived>().Any())
                responder.Client.Answer(responder.Take<OfferReceived>().Offer, RendezvousWorld.Response());
            _world.Settle();
            while (initiator.Events.OfType<AnswerReceived>().Any())
            {
                initiator.Take<AnswerReceived>();
                initiator.Client.RejectAnswer(_world.Now, transaction);
                rejected++;
            }
        }

        Assert.InRange(rejected, 6, 10);
        _world.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(initiator.Events.OfType<OfferTimedOut>());
    }

    [Fact]
    public void A_cold_initiator_needs_one_round_trip_more()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);

        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        int before = _world.Sent.Count;
        _world.Settle();

        Assert.Single(responder.Events.OfType<OfferReceived>());
        Assert.Equal(5, _world.Sent.Count - before); // hello, challenge, offer, status, delivery
    }

    [Fact]
    public void An_unknown_peer_is_told_at_once()
    {
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);

        TransactionId transaction = initiator.Client.Offer(_world.Now, initiator.Id, RendezvousWorld.Init());
        _world.Settle();

        Assert.Contains(new OfferRefused(transaction), initiator.Events);
        Assert.Equal(0, _world.Server.Statistics.Channels);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_offer_without_an_answer_ends_and_tells_whether_the_peer_was_known(bool isServerThere)
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();
        _world.Copies = _ => isServerThere ? 1 : 0;

        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Advance(TimeSpan.FromSeconds(11));

        Assert.Contains(new OfferTimedOut(transaction, WasForwarded: isServerThere), initiator.Events);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [Trait("Spec", "RDV-11")]
    public void Lost_and_repeated_datagrams_open_nothing_twice(int seed)
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();
        var random = new Random(seed);
        _world.Copies = _ => random.Next(10) switch { < 3 => 0, < 5 => 2, _ => 1 };

        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        for (int step = 0; step < 80 && !initiator.Events.OfType<AnswerReceived>().Any(); step++)
        {
            _world.Advance(TimeSpan.FromMilliseconds(100));
            foreach (OfferReceived offer in responder.Events.OfType<OfferReceived>())
            {
                responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
            }
        }

        Assert.NotEmpty(initiator.Events.OfType<AnswerReceived>());
        Assert.Single(responder.Events.OfType<OfferReceived>().Select(offer => (offer.Offer, offer.Leg)).Distinct());
        Assert.Equal(1, _world.Server.Statistics.Channels);
    }

    [Fact]
    public void A_second_message_1_of_the_same_offer_follows_the_first()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();
        TransactionId transaction = initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        OfferReceived first = responder.Take<OfferReceived>();
        responder.Client.Answer(first.Offer, [FirstByte.CookieReply, .. new byte[67]]);
        _world.Settle();
        initiator.Take<AnswerReceived>();

        initiator.Client.ReplaceOffer(_world.Now, transaction, RendezvousWorld.Init(9));
        _world.Settle();

        OfferReceived second = responder.Take<OfferReceived>();
        Assert.Equal((first.Offer, first.Leg), (second.Offer, second.Leg));
        Assert.Equal(RendezvousWorld.Init(9), second.Init.ToArray());
    }

    [Fact]
    [Trait("Spec", "RDV-13")]
    public void An_answer_from_elsewhere_is_not_delivered()
    {
        (RendezvousWorld.Peer initiator, _, RendezvousWorld.Peer responder, _) = _world.Meet();
        byte[] answer = _world.Sent.Last(sent => sent.ToServer && sent.Datagram[1] == (byte)RendezvousMessageType.Answer).Datagram;

        Assert.Equal(Refusal.Unexpected, _world.SendToServer(initiator.Address, answer));
        answer[5]++;
        Assert.Equal(Refusal.Unexpected, _world.SendToServer(responder.Address, answer));
    }

    [Fact]
    [Trait("Spec", "RDV-13")]
    public void Whoever_has_an_offer_cannot_flood_its_initiator_with_answers()
    {
        (RendezvousWorld.Peer initiator, RendezvousWorld.Peer responder, OfferReceived offer) = OpenOffer();
        for (int count = 0; count < 200; count++)
        {
            responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
            _world.Settle();
        }

        Assert.Equal(8, _world.Sent.Count(sent => sent.Client == initiator.Address && sent.Datagram[1] == (byte)RendezvousMessageType.AnswerDelivery));
    }

    [Fact]
    [Trait("Spec", "RDV-13")]
    public void Each_repetition_of_an_offer_may_have_its_answer()
    {
        (RendezvousWorld.Peer initiator, RendezvousWorld.Peer responder, OfferReceived offer) = OpenOffer();
        for (int count = 0; count < 15; count++)
        {
            responder.Client.Answer(offer.Offer, RendezvousWorld.Response());
            _world.Settle();
            initiator.Client.ReplaceOffer(_world.Now, initiator.Take<AnswerReceived>().Transaction, RendezvousWorld.Init());
            _world.Settle();
        }

        Assert.Equal(15, responder.Events.OfType<OfferReceived>().Count());
    }

    [Fact]
    public void Only_handshakes_are_carried()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();
        byte[] data = RendezvousWorld.Init();
        data[0] = FirstByte.Packet;
        initiator.Client.Offer(_world.Now, responder.Id, data);

        _world.Settle();

        Assert.Empty(responder.Events.OfType<OfferReceived>());
    }

    [Fact]
    public void One_host_is_held_to_its_rate_of_offers()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { OffersPerSecondAndHost = 3 });
        RendezvousWorld.Peer responder = world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = world.AddPeer("198.51.100.1:1000", isRegistering: false);
        world.Settle();
        for (int count = 0; count < 10; count++)
        {
            initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());
        }

        world.Settle();

        Assert.Equal(3, responder.Events.OfType<OfferReceived>().Count());
    }

    [Fact]
    public void When_there_is_no_room_for_offers_the_initiator_tries_again_later()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxOffers = 1, OfferLifetime = TimeSpan.FromSeconds(3) });
        RendezvousWorld.Peer responder = world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = world.AddPeer("198.51.100.1:1000", isRegistering: false);
        world.Settle();
        initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init(1));
        world.Settle();
        initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init(2));
        world.Settle();
        Assert.DoesNotContain(responder.Events.OfType<OfferReceived>(), offer => offer.Init.Span[1] == 2);

        world.Advance(TimeSpan.FromSeconds(6));

        Assert.Contains(responder.Events.OfType<OfferReceived>(), offer => offer.Init.Span[1] == 2);
    }

    private (RendezvousWorld.Peer Initiator, RendezvousWorld.Peer Responder, OfferReceived Offer) OpenOffer()
    {
        RendezvousWorld.Peer responder = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        RendezvousWorld.Peer initiator = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
        _world.Settle();
        initiator.Client.Offer(_world.Now, responder.Id, RendezvousWorld.Init());
        _world.Settle();
        return (initiator, responder, responder.Take<OfferReceived>());
    }
}
