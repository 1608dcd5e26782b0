using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// A client's standing with its server, and the timer that keeps it:
/// <code>
/// Idle -> Contacting -> Contacted                        (an initiator is content with a cookie)
///              ^  \--> Registering -> Registered &lt;-> Refreshing
///              \-----------/--------------------------/  (no answer, or the server has forgotten us)
/// </code>
/// </summary>
/// <remarks>spec: RDV-03, RDV-05, RDV-08, RDV-09.</remarks>
internal sealed class ClientRegistration(RendezvousClientOptions options, IEntropy entropy, ClientOutbox outbox)
{
    private const int MaxTries = 4;
    private const int MaxPromptChallenges = 4;

    private enum Phase
    {
        Idle,
        Contacting,
        Contacted,
        Registering,
        Registered,
        Refreshing,
    }

    private Phase _phase;
    private TransactionId _transaction;
    private RegistrationKey? _key;
    private ulong _registration;
    private ulong _counter;
    private int _tries;
    private int _promptChallenges;
    private TimeSpan _retryDelay;
    private Instant? _silentSince;
    private bool _isUnreachableReported;
    private bool _isRenewalWanted;
    private Instant _sentAt;
    private TimeSpan _refreshInterval = options.RefreshInterval;
    private NetworkAddress _registeredAt;
    private bool _isAfterSilence;

    /// <summary>The server's latest challenge, or null before the first.</summary>
    public ChallengeMessage? Challenge { get; private set; }

    /// <summary>Can others find this peer now, as far as the client knows?</summary>
    public bool IsRegistered => _phase is Phase.Registered or Phase.Refreshing;

    /// <summary>Has the server made the code at the end of <paramref name="datagram"/>?</summary>
    // spec: PATH-79
    public bool Verify(ReadOnlySpan<byte> datagram) => IsRegistered && _key!.Verify(datagram);

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout { get; private set; } = Instant.Never;

    /// <summary>Begins.</summary>
    public void Start(Instant now)
    {
        _silentSince ??= now;
        Enter(now, Phase.Contacting);
    }

    /// <summary>
    /// Asks the server at once at which address it sees this peer; one that it does not know is registered anew. An exchange that
    /// is under way goes on, or it would never end when this comes often: its request is repeated at once if that was not done
    /// just now, and the server is asked once more when it has ended.
    /// </summary>
    // spec: RDV-17
    public void Renew(Instant now)
    {
        if (_phase == Phase.Idle)
        {
            return;
        }

        _silentSince ??= now;
        if (_phase is Phase.Registered or Phase.Contacted)
        {
            Ask(now);
            return;
        }

        _isRenewalWanted = true;
        if (now - _sentAt >= RendezvousClientCore.FirstRetryDelay)
        {
            _retryDelay = RendezvousClientCore.FirstRetryDelay;
            NextTimeout = now;
            HandleTimeout(now);
        }
    }

    /// <summary>Repeats the request that is under way, or makes one: the server shall hear it by another way, too.</summary>
    public void Repeat(Instant now)
    {
        if (_phase is Phase.Idle)
        {
            return;
        }

        if (_phase is Phase.Registered or Phase.Contacted)
        {
            _silentSince ??= now;
            Ask(now);
            return;
        }

        _promptChallenges = 0;
        _retryDelay = RendezvousClientCore.FirstRetryDelay;
        Send(now);
    }

    /// <summary>Says goodbye if there is somebody to say it to.</summary>
    public void Leave()
    {
        if (IsRegistered)
        {
            SendRefresh(lifetimeSeconds: 0);
        }

        _phase = Phase.Idle;
        NextTimeout = Instant.Never;
    }

    /// <summary>Repeats, refreshes, or starts over.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now < NextTimeout)
        {
            return;
        }

        ReportSilence(now);
        _promptChallenges = 0;
        if (_phase == Phase.Registered)
        {
            _silentSince = now;
            Enter(now, Phase.Refreshing);
            _isAfterSilence = true;
        }
        else if (_phase is Phase.Registering or Phase.Refreshing && _tries >= MaxTries)
        {
            Enter(now, Phase.Contacting);
        }
        else
        {
            Send(now);
        }
    }

    /// <summary>A challenge for whatever this client asked; <paramref name="isForOffer"/>: for one of its offers.</summary>
    public bool TryHandleChallenge(Instant now, ChallengeMessage challenge, bool isForOffer)
    {
        bool isMine = challenge.Transaction == _transaction && _phase is not (Phase.Idle or Phase.Registered);
        if (!isMine && !isForOffer)
        {
            return false;
        }

        Challenge = challenge;
        Heard();
        if (!isMine)
        {
            return true;
        }

        if (_isAfterSilence)
        {
            NoteMappingLost(challenge.Observed);
        }

        if (!options.IsRegistering)
        {
            _phase = Phase.Contacted;
            NextTimeout = Instant.Never;
            AskAgainIfWanted(now);
        }
        else if (_promptChallenges++ < MaxPromptChallenges)
        {
            Enter(now, Phase.Registering);
        }

        return true; // or the retry timer goes on: an address that changes with every packet must not make a storm
    }

    /// <summary>The server says that this peer is registered.</summary>
    public Refusal HandleRegistered(Instant now, RegisteredMessage message, ReadOnlySpan<byte> datagram)
    {
        if (message.Transaction != _transaction || _phase is not (Phase.Registering or Phase.Refreshing))
        {
            return Refusal.Unexpected;
        }

        if (_key?.Verify(datagram) != true)
        {
            return Refusal.NotAuthentic;
        }

        Heard();
        if (_phase == Phase.Registering)
        {
            outbox.TryRaise(new PeerRegistered());
        }

        _registration = message.Registration;
        _registeredAt = message.Observed;
        _phase = Phase.Registered;
        _promptChallenges = 0;
        TimeSpan lifetime = TimeSpan.FromSeconds(message.LifetimeSeconds);
        NextTimeout = now + (lifetime / 3 < _refreshInterval ? lifetime / 3 : _refreshInterval); // spec: RDV-08
        AskAgainIfWanted(now);
        return Refusal.None;
    }

    private void Ask(Instant now) => Enter(now, IsRegistered ? Phase.Refreshing : Phase.Contacting);

    private void AskAgainIfWanted(Instant now)
    {
        if (_isRenewalWanted)
        {
            Ask(now);
        }
    }

    private void Enter(Instant now, Phase phase)
    {
        _phase = phase;
        _isAfterSilence = false;
        _isRenewalWanted = false; // What is sent now leaves from where this peer is now.
        _transaction = TransactionId.Create(entropy);
        _tries = 0;
        _retryDelay = RendezvousClientCore.FirstRetryDelay;
        if (phase == Phase.Registering && !TryAgree())
        {
            _phase = Phase.Contacting; // a key of low order: this is no honest server, but another may answer later
        }

        Send(now);
    }

    // Only the port is another one after a pause in which nobody wanted to know: a NAT keeps mappings for less than the pause.
    // spec: RDV-60
    private void NoteMappingLost(NetworkAddress observed)
    {
        if (!observed.HasSameHost(_registeredAt) || observed == _registeredAt)
        {
            return;
        }

        TimeSpan half = _refreshInterval / 2;
        _refreshInterval = half > RendezvousClientCore.ShortestRefreshInterval ? half : RendezvousClientCore.ShortestRefreshInterval;
    }

    private bool TryAgree()
    {
        PublicIdentity challenge = Challenge!.Value.Key;
        _counter = 0;
        return RegistrationKey.TryDerive(options.Identity, challenge, options.Identity.Public, challenge, out _key);
    }

    private void Send(Instant now)
    {
        switch (_phase)
        {
            case Phase.Contacting:
                outbox.Send(new HelloMessage(_transaction).Write(outbox.Buffer));
                break;
            case Phase.Registering:
                int length = new RegisterMessage(_transaction, Challenge!.Value.Cookie, Challenge.Value.Key, options.Identity.Public).Write(outbox.Buffer);
                _key!.Seal(outbox.Buffer.AsSpan(0, length));
                outbox.Send(length);
                break;
            case Phase.Refreshing:
                SendRefresh((uint)options.RefreshInterval.TotalSeconds * 3);
                break;
            default:
                return;
        }

        _tries++;
        _sentAt = now;
        NextTimeout = now + _retryDelay;
        TimeSpan limit = _phase == Phase.Contacting ? RendezvousClientCore.MaxContactDelay : RendezvousClientCore.MaxRetryDelay;
        _retryDelay = TimeSpan.FromTicks(Math.Min(2 * _retryDelay.Ticks, limit.Ticks));
    }

    private void SendRefresh(uint lifetimeSeconds)
    {
        int length = new RefreshMessage(_transaction, _registration, ++_counter, lifetimeSeconds).Write(outbox.Buffer);
        _key!.Seal(outbox.Buffer.AsSpan(0, length));
        outbox.Send(length);
    }

    private void Heard()
    {
        _silentSince = null;
        _isUnreachableReported = false;
    }

    private void ReportSilence(Instant now)
    {
        if (_silentSince is { } since && now - since >= RendezvousClientCore.UnreachableAfter && !_isUnreachableReported)
        {
            _isUnreachableReported = outbox.TryRaise(new ServerUnreachable());
        }
    }
}
