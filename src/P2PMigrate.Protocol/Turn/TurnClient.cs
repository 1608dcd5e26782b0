using System.Diagnostics.CodeAnalysis;
using System.Text;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// Keeps an allocation on a TURN server (RFC 8656, by UDP, long-term credentials), without sockets: give it what comes from the
/// server and the time, and after every input drain <see cref="TryPollTransmit"/> and <see cref="TryPollEvent"/>. Its owner wraps and
/// unwraps the datagrams of peers with its help. One owner, not thread-safe.
/// </summary>
/// <remarks>
/// The story of an allocation. A request without credentials is refused with a realm and a nonce; the next one is signed. While
/// it stands it is refreshed every minute. Who is sent to gets a permission for his host; what comes back from there is worth
/// a channel, whose datagrams have 4 bytes more than those of peers. What is lost is asked for anew, with pauses.
/// spec: chapter 09, section 6.
/// </remarks>
public sealed class TurnClient
{
    /// <summary>Bytes before a datagram of a channel.</summary>
    public const int HeaderSize = ChannelData.HeaderSize;

    /// <summary>Bytes by which an indication is longer than the datagram in it, at most.</summary>
    public const int IndicationOverhead = StunMessage.HeaderSize + 4 + 20 + 4 + 3;

    /// <summary>The longest datagram that is sent without a channel.</summary>
    // spec: TURN-06, CONST-355
    public const int MaxIndicated = 1232;

    /// <summary>For which an allocation is asked.</summary>
    // spec: TURN-03, CONST-356
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>It is refreshed after so long at the latest, so that a server that has begun anew is noticed.</summary>
    // spec: TURN-03, CONST-356
    public static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(1);

    /// <summary>An allocation without traffic sends something then, so that no NAT forgets the way to the server.</summary>
    // spec: CONST-356
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(20);

    /// <summary>A server that has not answered for so long is reported.</summary>
    // spec: CONST-357
    public static readonly TimeSpan UnreachableAfter = TimeSpan.FromSeconds(5);

    private const int MaxRejections = 3;

    private readonly TurnClientOptions _options;
    private readonly IEntropy _entropy;
    private readonly TurnCredentials _credentials;
    private readonly TurnRequests _requests;
    private readonly TurnPeers _peers;
    private readonly Queue<TurnEvent> _events = [];
    private readonly TurnPauses _pauses = new();
    private Instant _refreshAt = Instant.Never;
    private Instant _reportAt = Instant.Never;
    private Instant _sentAt;
    private bool _hasNoSocket;
    private bool _isReleasing;

    /// <summary>Silent until <see cref="Start"/>.</summary>
    public TurnClient(TurnClientOptions options, IEntropy entropy)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(options.Username), TurnCredentials.MaxLength);
        (_options, _entropy, Server) = (options, entropy, options.Server);
        _credentials = new TurnCredentials(options.Username, options.Password);
        _requests = new TurnRequests(_credentials, entropy);
        _peers = new TurnPeers(_requests);
    }

    /// <summary>Where everything goes, and the only address from which anything is believed.</summary>
    public NetworkAddress Server { get; private set; }

    /// <summary>The address that peers send to; none while there is no allocation.</summary>
    public NetworkAddress Relayed { get; private set; }

    /// <summary>After <see cref="Release"/>: has the server forgotten the allocation, as far as it can be told?</summary>
    public bool IsReleased => _isReleasing && Relayed.IsNone && !_requests.IsOpen(StunMethod.Allocate) && !_requests.IsOpen(StunMethod.Refresh);

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => Instant.Min(
        Instant.Min(Instant.Min(_pauses.EndsAt, _reportAt), _requests.NextTimeout),
        Instant.Min(Instant.Min(_refreshAt, KeepAliveAt), _peers.NextTimeout));

    private Instant KeepAliveAt => Relayed.IsNone || _isReleasing ? Instant.Never : _sentAt + KeepAlive;

    /// <summary>Asks for an allocation, on a socket that has none.</summary>
    public void Start(Instant now)
    {
        Forget();
        _hasNoSocket = false;
        if (_isReleasing)
            return;
        _reportAt = now + UnreachableAfter;
        _requests.Send(now, new TurnRequest(StunMethod.Allocate) { Lifetime = (uint)Lifetime.TotalSeconds });
    }

    /// <summary>There is no socket to <see cref="Start"/> on, for a reason in one sentence: another is asked for after a pause.</summary>
    public void PutOff(Instant now, string sentence)
    {
        if (_isReleasing)
            return;
        Fail(now, sentence);
        _hasNoSocket = true;
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now >= _reportAt)
            Report();
        if (now >= _pauses.EndsAt)
            Begin(now);
        while (_requests.Repeat(now) is { } unanswered)
            HandleSilence(now, unanswered);
        if (now >= _refreshAt)
            Refresh(now, Lifetime);
        if (now >= KeepAliveAt)
            KeepWay(now);
        _peers.HandleTimeout(now);
    }

    /// <summary>A message came from the server that is not a peer's datagram.</summary>
    public Refusal Handle(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryParse(datagram, out StunMessage message, out Refusal refusal))
            return refusal;
        if (message.Class is not (StunClass.Success or StunClass.Error) || _requests.Find(message) is not { } request)
            return Refusal.Unexpected;
        int code = message.Class == StunClass.Error ? message.ErrorCode : 0;
        if (!IsBelievable(message, request, code))
            return Refusal.BadMac;
        _requests.Close(request);
        if (message.UnknownAttribute != 0)
            HandleRefused(now, request, 420, message);
        else if (message.Class == StunClass.Success)
            HandleGranted(now, request, message);
        else if (!MayRepeat(request, code, message))
            HandleRefused(now, request, code, message);
        else
            _requests.Send(now, request);
        return Refusal.None;
    }

    /// <summary>May the server have forgotten, or be there again? It is asked, but some seconds after it was asked so last.</summary>
    public void Recheck(Instant now)
    {
        if (_isReleasing)
            return;
        if (Relayed.IsNone)
            _pauses.Hurry(now);
        else
            _refreshAt = _pauses.Sooner(now, _refreshAt);
    }

    /// <summary>Asks the server to forget the allocation. Nothing is asked for afterwards.</summary>
    // spec: TURN-03
    public void Release(Instant now)
    {
        _isReleasing = true;
        _pauses.Stop();
        (_refreshAt, _reportAt) = (Instant.Never, Instant.Never);
        if (Relayed.IsNone)
            return; // One that is granted now is given back then.
        _requests.Clear();
        _peers.Clear();
        Refresh(now, TimeSpan.Zero);
    }

    /// <summary>The next datagram for <see cref="Server"/>.</summary>
    public bool TryPollTransmit(out ReadOnlyMemory<byte> datagram) => _requests.TryTake(out datagram);

    /// <summary>The next event.</summary>
    public bool TryPollEvent([NotNullWhen(true)] out TurnEvent? news) => _events.TryDequeue(out news);

    /// <summary>The channel of a peer, to which something is sent now; 0 when it has none.</summary>
    public ushort ChannelOf(Instant now, NetworkAddress peer)
    {
        ushort channel = _peers.ChannelOf(now, peer);
        if (channel != 0)
            _sentAt = now;
        return channel;
    }

    /// <summary>Writes the <see cref="HeaderSize"/> bytes before a datagram of this length for a peer with a channel.</summary>
    public static void WriteHeader(Span<byte> destination, ushort channel, int length) => ChannelData.WriteHeader(destination, channel, length);

    /// <summary>
    /// Writes a whole datagram of <paramref name="session"/> for <see cref="Server"/> that it sends on to a peer, and gives its length; 0 when the
    /// peer has no permission, which is asked for then, or the datagram is too long to go without a channel.
    /// </summary>
    public int WriteIndication(Instant now, ConnectionId session, NetworkAddress peer, ReadOnlySpan<byte> data, Span<byte> destination)
    {
        if (Relayed.IsNone || _isReleasing || !peer.IsUsable || !_peers.Allows(now, session, peer) || data.Length > MaxIndicated)
            return 0;
        _sentAt = now;
        var writer = new StunWriter(destination, StunMethod.Send, StunClass.Indication, StunTransactionId.Create(_entropy));
        writer.Add(StunAttribute.XorPeerAddress, peer);
        writer.Add(StunAttribute.Data, data);
        return writer.Finish();
    }

    /// <summary>Is that a datagram of a peer, and what? False for everything else, which is for <see cref="Handle"/>.</summary>
    public bool TryUnwrap(Instant now, ReadOnlySpan<byte> datagram, out NetworkAddress peer, out ReadOnlySpan<byte> data)
    {
        peer = default;
        if (ChannelData.TryParse(datagram, out ushort channel, out data))
            return _peers.TryHear(now, channel, out peer);
        if (!StunMessage.TryParse(datagram, out StunMessage message, out _)
            || message is not { Method: StunMethod.Data, Class: StunClass.Indication, UnknownAttribute: 0 }
            || !message.TryFind(StunAttribute.Data, out data) || data.IsEmpty
            || !message.TryFindAddress(StunAttribute.XorPeerAddress, out peer) || !_peers.Knows(peer))
            return false;
        _peers.HandleHeard(now, peer);
        return true;
    }

    // An error without a proof counts: RFC 8489 asks to drop it, but not every server signs all errors, and who could forge the
    // transaction's number could as well drop the request.
    // spec: TURN-02
    private bool IsBelievable(in StunMessage message, TurnRequest request, int code)
    {
        bool isChallenge = code is TurnErrors.Unauthenticated or TurnErrors.StaleNonce;
        if (message.Class == StunClass.Error && (isChallenge || !request.IsSigned || !message.ClaimsIntegrity))
            return true;
        return request.IsSigned && _credentials.Verify(message);
    }

    private bool MayRepeat(TurnRequest request, int code, in StunMessage message) => code switch
    {
        TurnErrors.Unauthenticated => request.Rejections++ < MaxRejections && _credentials.TryLearn(message, isNew: request.IsSigned),
        TurnErrors.StaleNonce => request.Rejections++ < MaxRejections && _credentials.TryLearn(message, isNew: false),
        _ => false,
    };

    private void HandleGranted(Instant now, TurnRequest request, in StunMessage message)
    {
        switch (request.Method)
        {
            case StunMethod.Allocate:
                HandleAllocated(now, message);
                break;
            case StunMethod.Refresh when request.Lifetime == 0:
                Forget();
                break;
            case StunMethod.Refresh:
                ScheduleRefresh(now, message);
                break;
            default:
                _peers.HandleGranted(now, request);
                break;
        }
    }

    private void HandleAllocated(Instant now, in StunMessage message)
    {
        if (!message.TryFindAddress(StunAttribute.XorRelayedAddress, out NetworkAddress relayed) || !relayed.IsUsable)
        {
            Fail(now, TurnErrors.ToSentence(_options.Name, 0));
            return;
        }

        Relayed = relayed;
        (_reportAt, _sentAt) = (Instant.Never, now);
        _pauses.HandleAllocated();
        if (_isReleasing)
        {
            Refresh(now, TimeSpan.Zero);
            return;
        }

        ScheduleRefresh(now, message);
        _events.Enqueue(new TurnAllocated(relayed));
    }

    private void HandleRefused(Instant now, TurnRequest request, int code, in StunMessage message)
    {
        if (_isReleasing)
            Forget();
        else if (request.Method == StunMethod.Allocate)
            HandleNotAllocated(now, code, message);
        else if (code == TurnErrors.AllocationMismatch)
            Restart(now);
        else if (request.Method == StunMethod.Refresh)
            Fail(now, TurnErrors.ToSentence(_options.Name, code));
        else
            _peers.HandleRefused(now, request, isAnswered: true);
    }

    // spec: TURN-08
    private void HandleNotAllocated(Instant now, int code, in StunMessage message)
    {
        if (code == TurnErrors.TryAlternate && message.TryFindAddress(StunAttribute.AlternateServer, out NetworkAddress other) && MayBeAsked(other) && _pauses.TryDetour())
        {
            Server = other;
            Start(now);
        }
        else if (code == TurnErrors.AllocationMismatch && _pauses.TryDetour())
        {
            Forget();
            _events.Enqueue(new TurnSocketSpent());
        }
        else
        {
            Fail(now, TurnErrors.ToSentence(_options.Name, code), code);
        }
    }

    // Nobody proves that this server says so, and we are not to knock at our neighbours.
    private bool MayBeAsked(NetworkAddress other) =>
        other.IsUsable && other.Family == Server.Family && ExternalReaches.Of(other) <= ExternalReaches.Of(_options.Server);

    private void HandleSilence(Instant now, TurnRequest request)
    {
        if (_isReleasing)
            Forget();
        else if (request.Method is StunMethod.Allocate or StunMethod.Refresh)
            Fail(now, TurnErrors.Silence(_options.Name));
        else
            _peers.HandleRefused(now, request, isAnswered: false);
    }

    private void Begin(Instant now)
    {
        if (!_hasNoSocket)
        {
            Start(now);
            return;
        }

        _pauses.Stop();
        _events.Enqueue(new TurnSocketSpent());
    }

    // The server has forgotten, perhaps in a new life: it is asked at once, unless it makes a habit of it.
    private void Restart(Instant now)
    {
        Lose();
        if (_pauses.TryRestart(now))
            Start(now);
        else
            Tell(TurnErrors.Forgetful(_options.Name));
    }

    private void Fail(Instant now, string sentence, int code = 0)
    {
        Lose();
        Server = _options.Server;
        _pauses.HandleFailed(now, code);
        Tell(sentence);
    }

    private void Lose()
    {
        bool wasAllocated = !Relayed.IsNone;
        Forget();
        if (wasAllocated)
            _events.Enqueue(new TurnLost());
    }

    private void Report()
    {
        _reportAt = Instant.Never;
        Tell(TurnErrors.Silence(_options.Name));
    }

    private void Tell(string sentence)
    {
        if (_pauses.IsNews(sentence))
            _events.Enqueue(new TurnFailed(sentence));
    }

    private void KeepWay(Instant now)
    {
        _sentAt = now;
        _requests.SendKeepAlive();
    }

    private void Refresh(Instant now, TimeSpan lifetime)
    {
        _refreshAt = Instant.Never;
        _requests.Send(now, new TurnRequest(StunMethod.Refresh) { Lifetime = (uint)lifetime.TotalSeconds });
    }

    private void ScheduleRefresh(Instant now, in StunMessage message)
    {
        TimeSpan granted = message.TryFindNumber(StunAttribute.Lifetime, out uint seconds) ? TimeSpan.FromSeconds(Math.Clamp(seconds, 2, 3600)) : Lifetime;
        _refreshAt = now + (granted / 2 < CheckInterval ? granted / 2 : CheckInterval);
    }

    private void Forget()
    {
        Relayed = default;
        _pauses.Stop();
        (_refreshAt, _reportAt) = (Instant.Never, Instant.Never);
        _requests.Clear();
        _peers.Clear();
    }
}
