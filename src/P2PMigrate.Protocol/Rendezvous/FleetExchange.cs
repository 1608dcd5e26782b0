using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// Offers between peers of two servers: passes on what its own initiators ask for, takes over what other servers pass on, and
/// joins the two channels. It believes the others about who asks for whom, and about addresses only what was proven. One owner.
/// </summary>
/// <remarks>spec: RDV-40 to RDV-47.</remarks>
internal sealed class FleetExchange(
    FleetMembership self, RendezvousServerOptions options, IEntropy entropy, RegistrationTable registrations, OfferTable offers, RelayTable relay, RelayJoins joins,
    ServerOutbox outbox)
{
    /// <summary>Between two times that the other side of a channel is looked for.</summary>
    // spec: CONST-291
    public static readonly TimeSpan SeekInterval = TimeSpan.FromMilliseconds(500);

    private readonly HostLimiter _takeOverRate = new(options.OffersPerSecondAndHost, options.OffersPerSecondAndHost, options.MaxHosts, options.Shares);

    /// <summary>What this server has to say to the fleet.</summary>
    public FleetDesk Desk { get; } = new(self, options.RegistrationLifetime);

    /// <summary>Offers passed on.</summary>
    public long PassedOn { get; private set; }

    /// <summary>Offers taken over.</summary>
    public long TakenOver { get; private set; }

    /// <summary>An offer of an own initiator to a peer that is not here. spec: RDV-42.</summary>
    public Refusal PassOn(Instant now, NetworkAddress source, OfferMessage message)
    {
        OpenOffer? offer = offers.Find(source, message.Transaction, message.Target);
        if (offer is null && offers.IsFull)
        {
            outbox.Send(source, new StatusMessage(message.Transaction, OfferStatus.Busy, source).Write(outbox.Buffer));
            return Refusal.Busy;
        }

        if (offer is null)
        {
            offer = new OpenOffer(OfferId.Create(entropy), source, message.Transaction, message.Target, now + options.OfferLifetime, options.AnswersPerOffer);
            offers.Add(offer);
        }

        offer.Repeated();
        offer.Channel = offer.IsPassedOn ? offer.Channel : null; // that one led to where the peer was registered here
        offer.Responder = default;
        Desk.PassOn(offer, message.Carried);
        PassedOn++;
        return Refusal.None;
    }

    /// <summary>The directory took an offer, or did not.</summary>
    public void HandleOutcome(Instant now, OfferId token, FleetOutcome outcome)
    {
        if (FindPassedOn(now, token) is { } offer)
        {
            SendStatus(offer, outcome switch
            {
                FleetOutcome.Taken => OfferStatus.Forwarded,
                FleetOutcome.Unknown => OfferStatus.PeerUnknown,
                _ => OfferStatus.Busy,
            });
        }
    }

    /// <summary>Takes a message of another server.</summary>
    public Refusal Handle(Instant now, ReadOnlySpan<byte> message)
    {
        if (!FleetHeader.TryParse(message, out FleetHeader header, out WireReader body, out Refusal refusal))
        {
            return refusal;
        }

        return header.Kind switch
        {
            FleetMessageKind.Offer => FleetOffer.TryParse(body, out FleetOffer offer, out refusal) ? TakeOver(now, header, offer) : refusal,
            FleetMessageKind.Answer => FleetAnswer.TryParse(body, out FleetAnswer answer, out refusal) ? HandleAnswer(now, header, answer) : refusal,
            FleetMessageKind.Side => FleetSide.TryParse(body, out FleetSide side, out refusal) ? HandleSide(now, header, side) : refusal,
            _ => HandleUnknown(now, header, body),
        };
    }

    /// <summary>The responder replied to an offer that another server passed on.</summary>
    public void Answer(Instant now, OpenOffer offer, OfferOrigin origin, ReadOnlySpan<byte> carried)
    {
        RelayLegId trunk = RelayLegId.None;
        if (offer.Channel is { } channel)
        {
            trunk = channel.Initiator.Id;
            relay.Keep(now, channel);
            AskTrunk(now, channel);
        }

        Desk.Answer(origin, trunk, offer.Responder, carried);
    }

    /// <summary>
    /// A peer of this server hears nothing, and was given <paramref name="leg"/>: asks the server at the other end whether it is still there,
    /// and looks for the other side of a channel that goes by name.
    /// </summary>
    // spec: RLY-31, RLY-32
    public void Seek(Instant now, RelayLeg leg)
    {
        RelayChannel channel = leg.Channel;
        if (relay.IsTrunkCheckDue(now, leg.Other))
        {
            SendTrunkCheck(leg.Other);
        }

        bool isOtherHere = !leg.Other.IsTrunk && !leg.Other.Address.IsNone;
        if (channel.Tag is { } tag && !isOtherHere && now >= channel.NextSeekAt)
        {
            channel.NextSeekAt = now + SeekInterval;
            bool isInitiator = leg == channel.Initiator;
            Desk.Seek(tag, isInitiator, isInitiator ? RelayLegId.None : leg.Other.Id, options.ChannelIdleTimeout);
        }
    }

    /// <summary>Another server asks whether this is the other end of a trunk leg. spec: RDV-47.</summary>
    public Refusal HandleTrunkCheck(Instant now, NetworkAddress source, LegMessage check)
    {
        if (!relay.IsTrunk(now, check.Leg))
        {
            return Refusal.Unexpected;
        }

        outbox.Send(source, check.Write(outbox.Buffer, RendezvousMessageType.TrunkConfirm));
        return Refusal.None;
    }

    private Refusal TakeOver(Instant now, FleetHeader header, FleetOffer message)
    {
        var origin = new OfferOrigin(header.Sender, header.Token);
        Registration? target = registrations.Find(now, message.Target);
        if (target is null)
        {
            Desk.SayUnknown(origin); // spec: RDV-43
            return Refusal.None;
        }

        if (!_takeOverRate.TryTake(now, message.Initiator) || !target.TryTakeFleetOffer(now))
        {
            return Refusal.Busy;
        }

        var transaction = new TransactionId(header.Token.Value);
        OpenOffer? offer = offers.Find(message.Initiator, transaction, message.Target);
        if (offer is null && offers.IsFullForFleet)
        {
            return Refusal.Busy; // in silence: the initiator repeats it
        }

        if (offer is null)
        {
            offer = new OpenOffer(OfferId.Create(entropy), message.Initiator, transaction, message.Target, now + options.OfferLifetime, options.AnswersPerOffer)
            {
                Origin = origin,
                Channel = relay.OpenFromServer(now, message.Initiator, message.Server, target.Address),
            };
            offers.Add(offer);
        }

        offer.Repeated();
        offer.Responder = target.Address;
        TakenOver++;
        var delivery = new DeliveryMessage(offer.Id.Value, offer.Channel?.Responder.Id ?? RelayLegId.None, offer.Initiator, target.Address, message.Carried);
        outbox.Send(target.Address, delivery.WriteOffer(outbox.Buffer, target.Key));
        return Refusal.None;
    }

    private Refusal HandleAnswer(Instant now, FleetHeader header, FleetAnswer answer)
    {
        if (FindPassedOn(now, header.Token) is not { } offer)
        {
            return Refusal.Unexpected;
        }

        if (!offer.TryTakeAnswer())
        {
            return Refusal.Busy;
        }

        // The peer may have moved to yet another server since: then the trunk is another one.
        if (answer.Trunk != RelayLegId.None && offer.Channel?.Responder.Id != answer.Trunk)
        {
            offer.Channel = relay.OpenToServer(now, offer.Initiator, answer.Trunk, answer.Server);
        }

        if (offer.Channel is { } channel)
        {
            relay.Keep(now, channel);
            AskTrunk(now, channel);
        }

        var delivery = new DeliveryMessage(offer.Transaction.Value, offer.Channel?.Initiator.Id ?? RelayLegId.None, answer.Responder, offer.Initiator, answer.Carried);
        outbox.Send(offer.Initiator, delivery.Write(outbox.Buffer, RendezvousMessageType.AnswerDelivery));
        return Refusal.None;
    }

    // spec: RLY-32
    private Refusal HandleSide(Instant now, FleetHeader header, FleetSide message)
    {
        if (joins.JoinServer(now, message, out bool isNew) is not { } trunk)
        {
            return Refusal.Unexpected;
        }

        if (isNew || message.IsInitiator)
        {
            Desk.TellSide(header.Sender, message.Channel, !message.IsInitiator, message.IsInitiator ? trunk.Id : RelayLegId.None);
        }

        AskTrunk(now, trunk.Channel);
        return Refusal.None;
    }

    private Refusal HandleUnknown(Instant now, FleetHeader header, WireReader body)
    {
        if (!body.IsAtEnd)
        {
            return Refusal.TrailingBytes;
        }

        if (FindPassedOn(now, header.Token) is not { } offer)
        {
            return Refusal.Unexpected;
        }

        if (!offer.TryTakeAnswer())
        {
            return Refusal.Busy;
        }

        SendStatus(offer, OfferStatus.PeerUnknown);
        return Refusal.None;
    }

    private OpenOffer? FindPassedOn(Instant now, OfferId token) =>
        offers.Find(token) is { IsPassedOn: true } offer && now < offer.ExpiresAt ? offer : null; // spec: RDV-44

    private void AskTrunk(Instant now, RelayChannel channel)
    {
        if (relay.TrunkToAsk(now, channel) is { } leg)
        {
            SendTrunkCheck(leg);
        }
    }

    private void SendTrunkCheck(RelayLeg leg) =>
        outbox.Send(leg.Candidate, new LegMessage(leg.Nonce, leg.Id).Write(outbox.Buffer, RendezvousMessageType.TrunkCheck));

    private void SendStatus(OpenOffer offer, OfferStatus status) =>
        outbox.Send(offer.Initiator, new StatusMessage(offer.Transaction, status, offer.Initiator).Write(outbox.Buffer));
}
