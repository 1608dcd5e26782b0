using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// What a server has to say to its fleet: which peers are here, and offers and answers that travel on. It writes; what comes
/// from the others is the core's to judge. One owner.
/// </summary>
/// <remarks>spec: RDV-40 to RDV-46, RLY-32.</remarks>
internal sealed class FleetDesk(FleetMembership self, TimeSpan lifetime)
{
    /// <summary>Peers announced again in one second when the directory was away.</summary>
    // spec: CONST-280
    public const int MaxAnnouncedAtOnce = 4096;

    private readonly Queue<FleetRequest> _requests = [];
    private readonly byte[] _buffer = new byte[FleetHeader.MaxSize];
    private Instant? _restoredAt;

    /// <summary>The next request for the directory.</summary>
    public bool TryPoll(out FleetRequest? request) => _requests.TryDequeue(out request);

    /// <summary>A peer has just registered.</summary>
    public void Announce(Instant now, Registration registration)
    {
        registration.AnnouncedAt = now;
        _requests.Enqueue(new AnnounceKey(FleetKey.OfPeer(registration.Peer), lifetime));
    }

    /// <summary>A registration was refreshed: the directory hears of it when half of the entry's life has passed.</summary>
    // spec: RDV-41
    public void AnnounceIfDue(Instant now, Registration registration)
    {
        if (now - registration.AnnouncedAt >= lifetime / 2)
        {
            Announce(now, registration);
        }
    }

    /// <summary>A registration was ended by its peer.</summary>
    public void Withdraw(Registration registration) => _requests.Enqueue(new WithdrawKey(FleetKey.OfPeer(registration.Peer)));

    /// <summary>The directory was away and may have forgotten everything.</summary>
    public void HandleRestored(Instant now) => _restoredAt = now;

    /// <summary>Announces peers that the directory has not heard of since it was away, some of them each time.</summary>
    public void Sweep(Instant now, RegistrationTable registrations)
    {
        if (_restoredAt is not { } restoredAt)
        {
            return;
        }

        Registration[] due = [.. registrations.All.Where(each => each.AnnouncedAt < restoredAt && now < each.ExpiresAt).Take(MaxAnnouncedAtOnce)];
        foreach (Registration registration in due)
        {
            Announce(now, registration);
        }

        _restoredAt = due.Length < MaxAnnouncedAtOnce ? null : restoredAt;
    }

    /// <summary>Sends an offer on to wherever its peer is.</summary>
    public void PassOn(OpenOffer offer, ReadOnlySpan<byte> carried)
    {
        WireWriter writer = new FleetHeader(FleetMessageKind.Offer, offer.Id, self.Id).Begin(_buffer);
        new FleetOffer(self.Address, offer.Target, offer.Initiator, carried).Write(ref writer);
        _requests.Enqueue(new TellHolder(FleetKey.OfPeer(offer.Target), offer.Id, _buffer.AsSpan(0, writer.Written).ToArray()));
    }

    /// <summary>Sends a reply back to the server that passed its offer on.</summary>
    public void Answer(OfferOrigin origin, RelayLegId trunk, NetworkAddress responder, ReadOnlySpan<byte> carried)
    {
        WireWriter writer = new FleetHeader(FleetMessageKind.Answer, origin.Token, self.Id).Begin(_buffer);
        new FleetAnswer(trunk, self.Address, responder, carried).Write(ref writer);
        _requests.Enqueue(new TellServer(origin.Server, _buffer.AsSpan(0, writer.Written).ToArray()));
    }

    /// <summary>Says that a side of a channel is here, and asks for the other one, wherever it is.</summary>
    // spec: RLY-32
    public void Seek(ChannelTag channel, bool isInitiator, RelayLegId trunk, TimeSpan entryLifetime)
    {
        _requests.Enqueue(new AnnounceKey(FleetKey.OfSide(channel, isInitiator), entryLifetime));
        _requests.Enqueue(new TellHolder(FleetKey.OfSide(channel, !isInitiator), default, WriteSide(channel, isInitiator, trunk)));
    }

    /// <summary>Says to a server that has the other side of a channel how to reach the one that is here.</summary>
    // spec: RLY-32
    public void TellSide(ServerId server, ChannelTag channel, bool isInitiator, RelayLegId trunk) =>
        _requests.Enqueue(new TellServer(server, WriteSide(channel, isInitiator, trunk)));

    /// <summary>Says that a peer is not here, whatever the directory believes.</summary>
    public void SayUnknown(OfferOrigin origin)
    {
        WireWriter writer = new FleetHeader(FleetMessageKind.Unknown, origin.Token, self.Id).Begin(_buffer);
        _requests.Enqueue(new TellServer(origin.Server, _buffer.AsSpan(0, writer.Written).ToArray()));
    }

    private byte[] WriteSide(ChannelTag channel, bool isInitiator, RelayLegId trunk)
    {
        WireWriter writer = new FleetHeader(FleetMessageKind.Side, default, self.Id).Begin(_buffer);
        new FleetSide(channel, isInitiator, trunk, self.Address).Write(ref writer);
        return _buffer[..writer.Written];
    }
}

/// <summary>The server that passed an offer on, and its name for it.</summary>
internal readonly record struct OfferOrigin(ServerId Server, OfferId Token);
