using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// Carries handshakes between an initiator, whose address is proven, and a peer that is registered here, and opens their relay channel;
/// what is for peers of other servers goes to the <see cref="FleetExchange"/>, if there is one. One owner.
/// </summary>
/// <remarks>spec: RDV-11 to RDV-14.</remarks>
internal sealed class ServerMeetings(
    RendezvousServerOptions options, IEntropy entropy, RegistrationTable registrations, OfferTable offers, RelayTable relay, FleetExchange? fleet, ServerOutbox outbox)
{
    /// <summary>An offer, whose cookie was good.</summary>
    public Refusal Handle(Instant now, NetworkAddress source, OfferMessage message)
    {
        Registration? target = registrations.Find(now, message.Target); // spec: RDV-14
        if (target is null && fleet is not null)
        {
            return fleet.PassOn(now, source, message);
        }

        OpenOffer? offer = target is null ? null : FindOrOpen(now, source, message.Transaction, target);
        OfferStatus status = target is null ? OfferStatus.PeerUnknown : offer is null ? OfferStatus.Busy : OfferStatus.Forwarded;
        outbox.Send(source, new StatusMessage(message.Transaction, status, source).Write(outbox.Buffer));
        if (offer is not null)
        {
            // spec: RDV-12
            var delivery = new DeliveryMessage(offer.Id.Value, offer.Channel?.Responder.Id ?? RelayLegId.None, source, target!.Address, message.Carried);
            outbox.Send(target.Address, delivery.WriteOffer(outbox.Buffer, target.Key));
        }

        return offer is null && target is not null ? Refusal.Busy : Refusal.None;
    }

    /// <summary>A responder replies.</summary>
    public Refusal HandleAnswer(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (!AnswerMessage.TryParse(datagram, out AnswerMessage answer, out Refusal refusal))
        {
            return refusal;
        }

        OpenOffer? offer = offers.Find(answer.Offer);
        if (offer is null || offer.Responder != source || offer.ExpiresAt <= now)
        {
            return Refusal.Unexpected; // spec: RDV-13
        }

        if (!offer.TryTakeAnswer())
        {
            return Refusal.Busy; // spec: RDV-13
        }

        if (offer.Origin is { } origin)
        {
            fleet?.Answer(now, offer, origin, answer.Carried);
            return Refusal.None;
        }

        if (offer.Channel is { } channel)
        {
            relay.Keep(now, channel);
        }

        var delivery = new DeliveryMessage(offer.Transaction.Value, offer.Channel?.Initiator.Id ?? RelayLegId.None, source, offer.Initiator, answer.Carried);
        outbox.Send(offer.Initiator, delivery.Write(outbox.Buffer, RendezvousMessageType.AnswerDelivery));
        return Refusal.None;
    }

    private OpenOffer? FindOrOpen(Instant now, NetworkAddress initiator, TransactionId transaction, Registration target)
    {
        OpenOffer? offer = offers.Find(initiator, transaction, target.Peer);
        if (offer is null && !offers.IsFull)
        {
            offer = new OpenOffer(OfferId.Create(entropy), initiator, transaction, target.Peer, now + options.OfferLifetime, options.AnswersPerOffer);
            offers.Add(offer);
        }

        if (offer is { IsPassedOn: true })
        {
            offer.Channel = relay.Open(now, initiator, target.Address); // new, or the peer came here in the meantime
        }

        if (offer is not null)
        {
            offer.Repeated();
            offer.Responder = target.Address;
        }

        return offer;
    }
}
