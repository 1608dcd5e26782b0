using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// A rendezvous and relay server without its socket. Datagrams and time go in; after every input drain
/// <see cref="TryPollTransmit"/>. Relay frames have their own, allocation-free way through <see cref="TryRelay"/>.
/// It sees who asks for whom, and ciphertext; it can delay and drop, not read or pretend. One owner, not thread-safe.
/// </summary>
/// <remarks>spec: chapters 08 and 09.</remarks>
public sealed class RendezvousServerCore : IDisposable
{
    /// <summary>Bytes that every message of the server fits into.</summary>
    public const int MaxDatagramSize = RendezvousHeader.MaxSize;

    private static readonly TimeSpan s_sweepInterval = TimeSpan.FromSeconds(1);

    private readonly RendezvousServerOptions _options;
    private readonly IEntropy _entropy;
    private readonly CookieSecret _cookies;
    private readonly ChallengeKeys _challengeKeys;
    private readonly RegistrationTable _registrations;
    private readonly OfferTable _offers;
    private readonly RelayTable _relay;
    private readonly RelayJoins _joins;
    private readonly HostLimiter _registrationRate;
    private readonly HostLimiter _offerRate;
    private readonly ServerOutbox _outbox = new();
    private readonly byte[] _buffer;
    private readonly FleetExchange? _fleet;
    private readonly ServerMeetings _meetings;
    private readonly ServerEchoes _echoes;
    private Instant? _sweepAt;
    private long _refused;

    /// <summary>An empty server; <paramref name="alternates"/> is where it has other sockets, which are <see cref="RendezvousMirror"/>s.</summary>
    public RendezvousServerCore(RendezvousServerOptions options, IEntropy entropy, ServerAlternates alternates = default)
    {
        _options = options;
        _buffer = _outbox.Buffer;
        _entropy = entropy;
        _cookies = new CookieSecret(entropy);
        _challengeKeys = new ChallengeKeys(entropy);
        _registrations = new RegistrationTable(options.MaxRegistrations, options.MaxRegistrationsPerHost, options.Shares);
        _offers = new OfferTable(options.MaxOffers, (int)(options.FleetShare * options.MaxOffers));
        _relay = new RelayTable(options, entropy);
        _joins = new RelayJoins(_relay, entropy);
        _registrationRate = new HostLimiter(options.RegistrationsPerSecondAndHost, options.RegistrationsPerSecondAndHost, options.MaxHosts, options.Shares);
        _offerRate = new HostLimiter(options.OffersPerSecondAndHost, options.OffersPerSecondAndHost, options.MaxHosts, options.Shares);
        _echoes = new ServerEchoes(options, alternates, _cookies, _outbox);
        _fleet = options.Fleet is { } self ? new FleetExchange(self, options, entropy, _registrations, _offers, _relay, _joins, _outbox) : null;
        _meetings = new ServerMeetings(options, entropy, _registrations, _offers, _relay, _fleet, _outbox);
    }

    /// <summary>What the server holds and did.</summary>
    public RendezvousServerStatistics Statistics => new(
        _registrations.Count, _offers.Count, _relay.Count, _relay.FramesRelayed, _relay.BytesRelayed, _relay.FramesDropped, _refused)
    {
        OffersPassedOn = _fleet?.PassedOn ?? 0,
        OffersTakenOver = _fleet?.TakenOver ?? 0,
    };

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => _sweepAt ?? Instant.Never;

    /// <summary>Forgets what has expired, if it is time.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now < _sweepAt)
        {
            return;
        }

        _registrations.Sweep(now);
        _offers.Sweep(now);
        _joins.Sweep(now);
        _relay.Sweep(now);
        _fleet?.Desk.Sweep(now, _registrations);
        _sweepAt = _registrations.Count + _offers.Count + _relay.Count > 0 ? now + s_sweepInterval : null;
    }

    /// <summary>Takes a rendezvous message. Anything else is refused with a reason and without an answer.</summary>
    public Refusal Handle(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        _sweepAt ??= now + s_sweepInterval;
        if (!RendezvousHeader.TryReadType(datagram, out RendezvousMessageType type, out Refusal refusal))
        {
            return Count(refusal);
        }

        return Count(type switch
        {
            RendezvousMessageType.Hello => HandleHello(now, source, datagram),
            RendezvousMessageType.Register => HandleRegister(now, source, datagram),
            RendezvousMessageType.Refresh => HandleRefresh(now, source, datagram),
            RendezvousMessageType.Offer => HandleOffer(now, source, datagram),
            RendezvousMessageType.Answer => _meetings.HandleAnswer(now, source, datagram),
            RendezvousMessageType.Echo => _echoes.Handle(now, source, datagram),
            RendezvousMessageType.Join => HandleJoin(now, source, datagram),
            RendezvousMessageType.LegConfirm or RendezvousMessageType.TrunkCheck or RendezvousMessageType.TrunkConfirm => HandleLeg(now, source, datagram, type),
            _ => Refusal.WrongType,
        });
    }

    /// <summary>The next thing that the server wants from the directory of its fleet. To be asked after every input, like <see cref="TryPollTransmit"/>.</summary>
    public bool TryPollFleet([NotNullWhen(true)] out FleetRequest? request)
    {
        request = null;
        return _fleet is not null && _fleet.Desk.TryPoll(out request);
    }

    /// <summary>Takes a message that the directory carried here from another server. It may come from anybody who can write there.</summary>
    public Refusal HandleFleetMessage(Instant now, ReadOnlySpan<byte> message)
    {
        _sweepAt ??= now + s_sweepInterval;
        return Count(_fleet?.Handle(now, message) ?? Refusal.WrongType);
    }

    /// <summary>Takes the end of a <see cref="TellHolder"/>.</summary>
    public void HandleFleetOutcome(Instant now, OfferId token, FleetOutcome outcome) => _fleet?.HandleOutcome(now, token, outcome);

    /// <summary>The directory was away, or lost requests: what it knew may be gone.</summary>
    public void HandleFleetRestored(Instant now) => _fleet?.Desk.HandleRestored(now);

    /// <summary>
    /// Takes a relay frame and turns it, in place, into the one to send to <paramref name="destination"/>. False with a
    /// reason when it goes nowhere. There may be something to drain afterwards in both cases.
    /// </summary>
    public bool TryRelay(Instant now, NetworkAddress source, Span<byte> frame, out NetworkAddress destination, out Refusal refusal)
    {
        bool isForwarded = _relay.TryForward(now, source, frame, out destination, out RelayLeg? toCheck, out refusal);
        if (toCheck is not null && 3 * frame.Length >= LegMessage.Size)
        {
            RendezvousMessageType question = toCheck.IsTrunk ? RendezvousMessageType.TrunkCheck : RendezvousMessageType.LegCheck;
            Send(toCheck.Candidate, new LegMessage(toCheck.Nonce, toCheck.Id).Write(_buffer, question));
        }

        Count(refusal);
        return isForwarded;
    }

    /// <summary>Gives the next datagram to send.</summary>
    public bool TryPollTransmit(Span<byte> buffer, out NetworkAddress destination, out int length) =>
        _outbox.TryTake(buffer, out destination, out length);

    /// <summary>Gives the next datagram to send from another socket than the main one. Drain it too after every input.</summary>
    public bool TryPollAside(Span<byte> buffer, out ServerSocket from, out NetworkAddress destination, out int length) =>
        _echoes.TryTakeAside(buffer, out from, out destination, out length);

    /// <inheritdoc/>
    public void Dispose() => _challengeKeys.Dispose();

    private uint LifetimeSeconds => (uint)_options.RegistrationLifetime.TotalSeconds;

    private Refusal HandleHello(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (HelloMessage.TryParse(datagram, out HelloMessage hello, out Refusal refusal))
        {
            SendChallenge(now, source, hello.Transaction); // spec: RDV-03
        }

        return refusal;
    }

    private Refusal HandleRegister(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (!RegisterMessage.TryParse(datagram, out RegisterMessage register, out Refusal refusal))
        {
            return refusal;
        }

        PrivateIdentity? challenge = _challengeKeys.Find(now, register.ChallengeKey);
        if (!IsProven(now, source, register.Cookie) || challenge is null)
        {
            SendChallenge(now, source, register.Transaction); // spec: RDV-04
            return Refusal.CookieRequired;
        }

        if (!_registrationRate.TryTake(now, source))
        {
            return Refusal.Busy;
        }

        if (!RegistrationKey.TryDerive(challenge, register.Client, register.Client, challenge.Public, out RegistrationKey key) || !key.Verify(datagram))
        {
            return Refusal.NotAuthentic; // spec: RDV-06
        }

        if (_registrations.Find(now, register.Client.PeerId) is { } known && known.Transaction == register.Transaction && known.Address == source)
        {
            SendRegistered(register.Transaction, known, LifetimeSeconds); // spec: RDV-49
            return Refusal.None;
        }

        var registration = new Registration(RandomId.Next(_entropy), register.Client.PeerId, source, key, _options.FleetOffersPerSecondAndPeer)
        {
            Transaction = register.Transaction,
            ExpiresAt = now + _options.RegistrationLifetime,
        };
        if (!_registrations.TryAdd(registration))
        {
            return Refusal.Busy;
        }

        _fleet?.Desk.Announce(now, registration);
        SendRegistered(register.Transaction, registration, LifetimeSeconds);
        return Refusal.None;
    }

    private Refusal HandleRefresh(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (!RefreshMessage.TryParse(datagram, out RefreshMessage refresh, out Refusal refusal))
        {
            return refusal;
        }

        // A new address has to be proven like the first one. spec: RDV-08
        Registration? registration = _registrations.Find(now, refresh.Registration);
        if (registration is null || registration.Address != source)
        {
            SendChallenge(now, source, refresh.Transaction);
            return Refusal.CookieRequired;
        }

        if (!registration.Key.Verify(datagram))
        {
            return Refusal.NotAuthentic;
        }

        if (refresh.Counter <= registration.Counter)
        {
            return Refusal.Replayed;
        }

        registration.Counter = refresh.Counter;
        registration.ExpiresAt = now + _options.RegistrationLifetime;
        if (refresh.LifetimeSeconds == 0)
        {
            _registrations.Remove(registration); // spec: RDV-09
            _fleet?.Desk.Withdraw(registration);
        }
        else
        {
            _fleet?.Desk.AnnounceIfDue(now, registration);
        }

        SendRegistered(refresh.Transaction, registration, Math.Min(refresh.LifetimeSeconds, LifetimeSeconds));
        return Refusal.None;
    }

    private Refusal HandleOffer(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (!OfferMessage.TryParse(datagram, out OfferMessage message, out Refusal refusal))
        {
            return refusal;
        }

        if (!IsProven(now, source, message.Cookie))
        {
            SendChallenge(now, source, message.Transaction);
            return Refusal.CookieRequired;
        }

        return _offerRate.TryTake(now, source)
            ? _meetings.Handle(now, source, message)
            : Refusal.Busy; // in silence: the answer to a flood is not another one
    }

    // spec: RLY-21
    private Refusal HandleJoin(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (!JoinMessage.TryParse(datagram, out JoinMessage join, out Refusal refusal))
        {
            return refusal;
        }

        if (!IsProven(now, source, join.Cookie))
        {
            SendChallenge(now, source, join.Transaction);
            return Refusal.CookieRequired;
        }

        // Who names his leg is one for whom this server works already: a crowd that begins elsewhere does not keep him out.
        if ((!_joins.Knows(now, join.Leg) && !_offerRate.TryTake(now, source)) || _joins.Join(now, source, join) is not { } leg)
        {
            return Refusal.Busy;
        }

        Send(source, new JoinedMessage(join.Transaction, leg.Id).Write(_buffer));
        _fleet?.Seek(now, leg);
        return Refusal.None;
    }

    private Refusal HandleLeg(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram, RendezvousMessageType type)
    {
        if (!LegMessage.TryParse(datagram, type, out LegMessage message, out Refusal refusal))
        {
            return refusal;
        }

        return type == RendezvousMessageType.TrunkCheck
            ? _fleet?.HandleTrunkCheck(now, source, message) ?? Refusal.WrongType
            : _relay.Confirm(now, source, message, isServer: type == RendezvousMessageType.TrunkConfirm);
    }

    private bool IsProven(Instant now, NetworkAddress source, AddressCookie cookie) => cookie.Proves(_cookies, now, source);

    private void SendChallenge(Instant now, NetworkAddress source, TransactionId transaction)
    {
        AddressCookie cookie = AddressCookie.Make(_cookies, now, source);
        Send(source, new ChallengeMessage(transaction, cookie, _challengeKeys.Current(now), source, _echoes.AlternatesFor(source)).Write(_buffer));
    }

    private void SendRegistered(TransactionId transaction, Registration registration, uint lifetime)
    {
        int length = new RegisteredMessage(transaction, registration.Id, lifetime, registration.Address).Write(_buffer);
        registration.Key.Seal(_buffer.AsSpan(0, length));
        Send(registration.Address, length);
    }

    private void Send(NetworkAddress destination, int length) => _outbox.Send(destination, length);

    private Refusal Count(Refusal refusal)
    {
        _refused += refusal == Refusal.None ? 0 : 1;
        return refusal;
    }
}
