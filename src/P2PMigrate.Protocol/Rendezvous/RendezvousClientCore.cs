using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>What a rendezvous client is made of.</summary>
public sealed record RendezvousClientOptions
{
    /// <summary>This peer. Stays the caller's.</summary>
    public required PrivateIdentity Identity { get; init; }

    /// <summary>Shall others find this peer here? A mere initiator says no and stays anonymous to the server.</summary>
    public bool IsRegistering { get; init; }

    /// <summary>How often a registration is refreshed; short enough to keep a NAT's mapping open.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>
/// A peer's side of the talk with one rendezvous server, without the socket: it learns this endpoint's outside address, keeps
/// a registration alive, and carries handshakes both ways. Give it every rendezvous message that comes from the server's
/// address. After every input drain <see cref="TryPollTransmit"/> and <see cref="TryPollEvent"/>. One owner, not thread-safe.
/// </summary>
/// <remarks>spec: chapter 08.</remarks>
public sealed class RendezvousClientCore
{
    /// <summary>Bytes that every message of the client fits into.</summary>
    public const int MaxDatagramSize = RendezvousHeader.MaxSize;

    /// <summary>Offers that a client may have open.</summary>
    public const int MaxOffers = 64;

    /// <summary>Time to the first repetition of anything; it doubles from there.</summary>
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest time between repetitions of a registration, a refresh or an offer.</summary>
    public static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(2);

    /// <summary>The longest time between two attempts to reach a server that does not answer.</summary>
    public static readonly TimeSpan MaxContactDelay = TimeSpan.FromSeconds(5);

    /// <summary>How often a registration is refreshed at most, when a NAT forgets mappings sooner than usual.</summary>
    // spec: RDV-60
    public static readonly TimeSpan ShortestRefreshInterval = TimeSpan.FromSeconds(5);

    /// <summary>A server silent for this long is reported as unreachable.</summary>
    public static readonly TimeSpan UnreachableAfter = TimeSpan.FromSeconds(5);

    /// <summary>An offer without an answer is given up after this long.</summary>
    public static readonly TimeSpan OfferTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A relay channel that is asked for and not given is given up after this long.</summary>
    public static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(75);

    private readonly IEntropy _entropy;
    private readonly ClientOutbox _outbox = new();
    private readonly ClientRegistration _registration;
    private readonly ClientOffers _offers;
    private readonly ClientJoins _joins;
    private readonly ClientLegs _legs = new();
    private TransactionId? _wayProbe;

    /// <summary>Silent until <see cref="Start"/>.</summary>
    public RendezvousClientCore(RendezvousClientOptions options, IEntropy entropy)
    {
        _entropy = entropy;
        _registration = new ClientRegistration(options, entropy, _outbox);
        _offers = new ClientOffers(entropy, _outbox, _legs);
        _joins = new ClientJoins(entropy, _outbox, _legs);
    }

    /// <summary>This endpoint's address as the server saw it last; none before the first answer.</summary>
    public NetworkAddress Observed { get; private set; }

    /// <summary>The server's other sockets, by its latest challenge; none before the first.</summary>
    // spec: RDV-20
    public ServerAlternates Alternates => _registration.Challenge?.Alternates ?? default;

    /// <summary>Can others find this peer at the server now, as far as the client knows?</summary>
    public bool IsRegistered => _registration.IsRegistered;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => Instant.Min(_registration.NextTimeout, Instant.Min(_offers.NextTimeout, _joins.NextTimeout));

    /// <summary>Begins.</summary>
    public void Start(Instant now) => _registration.Start(now);

    /// <summary>The address of this endpoint may be another one now: asks the server at once.</summary>
    public void Renew(Instant now) => _registration.Renew(now);

    /// <summary>Another way to the server has opened: everything that waits for an answer is asked again at once.</summary>
    // spec: RLY-14
    public void HandleNewWay(Instant now)
    {
        _registration.Repeat(now);
        _offers.Repeat(now, _registration.Challenge);
        _joins.Repeat(now, _registration.Challenge);
    }

    /// <summary>Writes a question that tells whether a way to the server works, and nothing else: the answer is a <see cref="WayAnswered"/>.</summary>
    // spec: RLY-15
    public int WriteWayProbe(Span<byte> buffer)
    {
        _wayProbe = TransactionId.Create(_entropy);
        return new HelloMessage(_wayProbe.Value).Write(buffer);
    }

    /// <summary>Does this message of ours want an answer?</summary>
    public static bool IsRequest(ReadOnlySpan<byte> datagram) => RendezvousHeader.TryReadType(datagram, out RendezvousMessageType type, out _)
        && type is RendezvousMessageType.Hello or RendezvousMessageType.Register or RendezvousMessageType.Refresh or RendezvousMessageType.Offer
            or RendezvousMessageType.Join;

    /// <summary>Tells the server that this peer goes; nothing is repeated afterwards.</summary>
    public void Leave() => _registration.Leave();

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        _registration.HandleTimeout(now);
        _offers.HandleTimeout(now, _registration.Challenge);
        _joins.HandleTimeout(now, _registration.Challenge);
    }

    /// <summary>
    /// Sends message 1 of a handshake to a peer through the server, again and again until the answer. The end is exactly one of
    /// <see cref="OfferRefused"/>, <see cref="OfferTimedOut"/>, or after the first <see cref="AnswerReceived"/> a call of <see cref="CloseOffer"/>.
    /// </summary>
    public TransactionId Offer(Instant now, PeerId target, ReadOnlySpan<byte> init) => _offers.Open(now, target, init, _registration.Challenge);

    /// <summary>Sends another message 1 in place of the first: the same one with the cookie that the responder asked for.</summary>
    public void ReplaceOffer(Instant now, TransactionId transaction, ReadOnlySpan<byte> init) =>
        _offers.Replace(now, transaction, init, _registration.Challenge);

    /// <summary>The handshake did not accept what an <see cref="AnswerReceived"/> brought: the genuine answer may still come, and is asked for.</summary>
    public void RejectAnswer(Instant now, TransactionId transaction) => _offers.RejectAnswer(now, transaction, _registration.Challenge);

    /// <summary>The offer has done its work, or nobody wants it any more.</summary>
    public void CloseOffer(TransactionId transaction) => _offers.Close(transaction);

    /// <summary>
    /// Asks for the relay channel of a session that had <paramref name="leg"/>, again and again until <see cref="ChannelJoined"/>
    /// or <see cref="JoinTimeout"/>: the server may have forgotten it.
    /// </summary>
    // spec: RLY-21
    public TransactionId Join(Instant now, ChannelName name, bool isInitiator, RelayLegId leg) =>
        _joins.Open(now, name, isInitiator, leg, _registration.Challenge);

    /// <summary>Is it still asked for?</summary>
    public bool IsJoining(TransactionId transaction) => _joins.IsOpen(transaction);

    /// <summary>Sends the reply to a message 1 back to its initiator.</summary>
    public void Answer(OfferId offer, ReadOnlySpan<byte> reply) => _outbox.Send(new AnswerMessage(offer, reply).Write(_outbox.Buffer));

    /// <summary>Takes a rendezvous message from the server's address.</summary>
    public Refusal Handle(Instant now, ReadOnlySpan<byte> datagram) => !RendezvousHeader.TryReadType(datagram, out RendezvousMessageType type, out Refusal refusal)
        ? refusal
        : type switch
        {
            RendezvousMessageType.Challenge => HandleChallenge(now, datagram),
            RendezvousMessageType.Registered => HandleRegistered(now, datagram),
            RendezvousMessageType.Status => HandleStatus(datagram),
            RendezvousMessageType.OfferDelivery => HandleOffer(datagram),
            RendezvousMessageType.AnswerDelivery => HandleAnswer(datagram),
            RendezvousMessageType.LegCheck => HandleLegCheck(datagram),
            RendezvousMessageType.Joined => JoinedMessage.TryParse(datagram, out JoinedMessage joined, out refusal) ? _joins.HandleJoined(joined) : refusal,
            _ => Refusal.WrongType,
        };

    /// <summary>The next datagram for the server.</summary>
    public bool TryPollTransmit(Span<byte> buffer, out int length) => _outbox.TryTakeDatagram(buffer, out length);

    /// <summary>The next event.</summary>
    public bool TryPollEvent([NotNullWhen(true)] out RendezvousEvent? rendezvousEvent)
    {
        rendezvousEvent = _outbox.TakeEvent();
        return rendezvousEvent is not null;
    }

    private Refusal HandleChallenge(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (!ChallengeMessage.TryParse(datagram, out ChallengeMessage challenge, out Refusal refusal))
        {
            return refusal;
        }

        if (challenge.Transaction == _wayProbe)
        {
            _wayProbe = null;
            return _outbox.TryRaise(new WayAnswered()) ? Refusal.None : Refusal.Busy;
        }

        if (!_registration.TryHandleChallenge(now, challenge, _offers.IsOpen(challenge.Transaction) || _joins.IsOpen(challenge.Transaction)))
        {
            return Refusal.Unexpected;
        }

        Observe(challenge.Observed);
        _offers.HandleChallenge(now, challenge);
        _joins.HandleChallenge(now, challenge);
        return Refusal.None;
    }

    private Refusal HandleRegistered(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (!RegisteredMessage.TryParse(datagram, out RegisteredMessage registered, out Refusal refusal))
        {
            return refusal;
        }

        refusal = _registration.HandleRegistered(now, registered, datagram);
        if (refusal == Refusal.None)
        {
            Observe(registered.Observed);
        }

        return refusal;
    }

    private Refusal HandleStatus(ReadOnlySpan<byte> datagram)
    {
        if (!StatusMessage.TryParse(datagram, out StatusMessage status, out Refusal refusal))
        {
            return refusal;
        }

        refusal = _offers.HandleStatus(status);
        if (refusal == Refusal.None)
        {
            Observe(status.Observed);
        }

        return refusal;
    }

    private Refusal HandleOffer(ReadOnlySpan<byte> datagram)
    {
        if (!DeliveryMessage.TryParse(
            datagram[..Math.Max(0, datagram.Length - MessageMac.Size)], RendezvousMessageType.OfferDelivery, out DeliveryMessage offer, out Refusal refusal))
        {
            return refusal;
        }

        if (!IsRegistered)
        {
            return Refusal.Unexpected;
        }

        if (!_registration.Verify(datagram))
        {
            return Refusal.NotAuthentic; // spec: PATH-79
        }

        _legs.Learn(offer.Leg);
        bool isRaised = _outbox.TryRaise(new OfferReceived(new OfferId(offer.Id), offer.Other, offer.Leg, offer.Carried.ToArray()));
        return isRaised ? Refusal.None : Refusal.Busy;
    }

    private Refusal HandleAnswer(ReadOnlySpan<byte> datagram) =>
        DeliveryMessage.TryParse(datagram, RendezvousMessageType.AnswerDelivery, out DeliveryMessage answer, out Refusal refusal)
            ? _offers.HandleAnswer(answer)
            : refusal;

    // The confirmation is not larger than the check, so a forged check makes this peer send nothing more than it got.
    private Refusal HandleLegCheck(ReadOnlySpan<byte> datagram)
    {
        if (!LegMessage.TryParse(datagram, RendezvousMessageType.LegCheck, out LegMessage check, out Refusal refusal))
        {
            return refusal;
        }

        if (!_legs.Has(check.Leg))
        {
            return Refusal.Unexpected; // spec: RLY-05
        }

        _outbox.Send(check.Write(_outbox.Buffer, RendezvousMessageType.LegConfirm));
        return Refusal.None;
    }

    private void Observe(NetworkAddress observed)
    {
        if (observed != Observed)
        {
            Observed = observed;
            _outbox.TryRaise(new ObservedAddressChanged(observed));
        }
    }
}
