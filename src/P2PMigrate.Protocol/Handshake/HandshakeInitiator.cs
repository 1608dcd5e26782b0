using System.Security.Cryptography;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>What an initiator brings to a handshake.</summary>
public sealed record HandshakeInitiatorOptions
{
    /// <summary>This peer. Stays the caller's.</summary>
    public required PrivateIdentity Identity { get; init; }

    /// <summary>Whom to reach, and the permission to.</summary>
    public required Ticket Ticket { get; init; }

    /// <summary>
    /// The time of day in UTC nanoseconds since the Unix epoch. No two handshakes of this identity may have the same, and it
    /// should grow from one to the next: a responder refuses what it cannot tell from a recording.
    /// </summary>
    public required long TimestampUnixNanoseconds { get; init; }

    /// <summary>Where this peer might be reached, best first; only <see cref="Candidate.MaxCount"/> are sent.</summary>
    public IReadOnlyList<Candidate> Candidates { get; init; } = [];

    /// <summary>The NATs before this peer, as far as they are known; null to say nothing of them, and to be told nothing later.</summary>
    // spec: PATH-61
    public NatProfile? Nat { get; init; }

    /// <summary>What this peer announces.</summary>
    public TransportParameters Parameters { get; init; } = new();

    /// <summary>What this peer offers, best first.</summary>
    public IReadOnlyList<ProtectionSuite> Suites { get; init; } = ProtectionSuites.Supported;
}

/// <summary>Where a handshake stands.</summary>
public enum HandshakeState
{
    /// <summary>Message 1 is on its way, again and again.</summary>
    Waiting,

    /// <summary>Message 2 came: <see cref="HandshakeInitiator.TakeSession"/>.</summary>
    Established,

    /// <summary>Nobody answered in time.</summary>
    TimedOut,
}

/// <summary>
/// The side that starts a handshake, for one attempt. After construction and after every input, drain
/// <see cref="TryPollTransmit"/>: each datagram it gives is message 1 and goes out by every route that the driver has,
/// to each address hint and inside a rendezvous offer, always with the same bytes. Whatever comes back by any route goes into
/// <see cref="TryHandle"/>. One owner, not thread-safe.
/// </summary>
/// <remarks>spec: chapter 03, section 4.</remarks>
public sealed class HandshakeInitiator : IDisposable
{
    /// <summary>Time to the first repetition of message 1; it doubles from there to <see cref="MaxRetryDelay"/>.</summary>
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest time between two repetitions.</summary>
    public static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(2);

    /// <summary>After this long without an answer the attempt is over.</summary>
    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Cookies that cause a repetition at once; further ones are kept for the next repetition.</summary>
    public const int MaxPromptCookies = 4;

    private readonly HandshakeInitiatorOptions _options;
    private readonly NoiseHandshake _noise;
    private readonly byte[] _init = new byte[HandshakeInit.Size];
    private readonly byte[] _responseMacKey;
    private readonly Instant _startedAt;

    private EstablishedSession? _session;
    private bool _isTransmitDue = true;
    private TimeSpan _retryDelay = FirstRetryDelay;
    private Instant _retryAt;
    private int _transmissions;
    private int _cookies;

    /// <summary>Makes message 1 and starts the clocks.</summary>
    public HandshakeInitiator(Instant now, HandshakeInitiatorOptions options, IEntropy entropy)
    {
        _options = options;
        _startedAt = now;
        _retryAt = now + FirstRetryDelay;
        _responseMacKey = MessageMac.KeyFor(options.Identity.Public);
        LocalId = ConnectionId.Create(entropy);
        HandshakeHeader.Write(_init, FirstByte.HandshakeInit, LocalId);
        _noise = NoiseHandshake.Initiate(options.Identity, PrivateIdentity.Create(entropy), options.Ticket.Responder, HandshakeInit.Prologue(_init));
        WriteInit();
    }

    /// <summary>The id under which the session's packets will arrive here.</summary>
    public ConnectionId LocalId { get; }

    /// <summary>Where the attempt stands.</summary>
    public HandshakeState State { get; private set; } = HandshakeState.Waiting;

    /// <summary>Did the responder at least ask for a cookie? Then it is there, but busy.</summary>
    public bool WasCookieRequired => _cookies > 0;

    /// <summary>When <see cref="HandleTimeout"/> wants to be called.</summary>
    public Instant NextTimeout => State == HandshakeState.Waiting ? Instant.Min(_retryAt, _startedAt + AttemptTimeout) : Instant.Never;

    /// <summary>Repeats message 1 or gives up, if it is time.</summary>
    public void HandleTimeout(Instant now)
    {
        if (State != HandshakeState.Waiting)
        {
            return;
        }

        if (now >= _startedAt + AttemptTimeout)
        {
            State = HandshakeState.TimedOut; // spec: HS-19
            _isTransmitDue = false;
        }
        else if (now >= _retryAt)
        {
            _retryDelay = TimeSpan.FromTicks(Math.Min(2 * _retryDelay.Ticks, MaxRetryDelay.Ticks)); // spec: HS-18
            _retryAt = now + _retryDelay;
            _isTransmitDue = true;
        }
    }

    /// <summary>Gives message 1 when it is to be sent; <paramref name="buffer"/> holds at least <see cref="HandshakeInit.Size"/> bytes.</summary>
    public bool TryPollTransmit(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!_isTransmitDue)
        {
            return false;
        }

        _init.CopyTo(buffer);
        length = _init.Length;
        _isTransmitDue = false;
        _transmissions++;
        return true;
    }

    /// <summary>
    /// Takes message 2 or a cookie reply, from whatever route. False with a reason for everything that is not the answer
    /// to this attempt; such a datagram changes nothing.
    /// </summary>
    public bool TryHandle(Instant now, ReadOnlySpan<byte> datagram, out Refusal refusal)
    {
        refusal = FirstByte.Classify(datagram) switch
        {
            _ when State != HandshakeState.Waiting => Refusal.Unexpected,
            DatagramType.HandshakeResponse => HandleResponse(now, datagram),
            DatagramType.CookieReply => HandleCookie(datagram),
            _ => Refusal.WrongType,
        };
        return refusal == Refusal.None;
    }

    /// <summary>The session, once; its new owner disposes it.</summary>
    public EstablishedSession TakeSession()
    {
        EstablishedSession session = _session ?? throw new InvalidOperationException("The handshake has no session to give.");
        _session = null;
        return session;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _noise.Dispose();
        _session?.Dispose();
    }

    private void WriteInit()
    {
        Span<byte> payload = stackalloc byte[HandshakeHeader.PayloadSize];
        HandshakePayloadCodec.Encode(
            new HandshakePayload
            {
                Timestamp = (ulong)_options.TimestampUnixNanoseconds,
                Ticket = _options.Ticket.Id,
                Suites = _options.Suites,
                Candidates = _options.Candidates,
                Nat = _options.Nat,
                Parameters = _options.Parameters,
            },
            payload);
        if (!_noise.TryWriteMessage1(payload, HandshakeInit.Noise(_init.AsSpan())))
        {
            State = HandshakeState.TimedOut; // the ticket names a key that nobody can own: nobody will answer
            _isTransmitDue = false;
        }

        MessageMac.Compute(MessageMac.KeyFor(_options.Ticket.Responder), _init.AsSpan(0, HandshakeInit.Mac1Offset), _init.AsSpan(HandshakeInit.Mac1Offset));
    }

    private Refusal HandleResponse(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (!HandshakeHeader.TryRead(datagram, FirstByte.HandshakeResponse, HandshakeResponse.Size, out ConnectionId receiver, out Refusal refusal))
        {
            return refusal;
        }

        if (receiver != LocalId)
        {
            return Refusal.Unexpected;
        }

        if (!MessageMac.Verify(_responseMacKey, datagram[..HandshakeResponse.Mac1Offset], HandshakeResponse.Mac1(datagram)))
        {
            return Refusal.BadMac;
        }

        Span<byte> payload = stackalloc byte[HandshakeHeader.PayloadSize];
        Span<byte> preSharedKey = stackalloc byte[TicketSecret.PreSharedKeySize];
        _options.Ticket.Secret.DerivePreSharedKey(preSharedKey);
        bool isAuthentic = _noise.TryReadMessage2(preSharedKey, HandshakeResponse.Noise(datagram), payload);
        CryptographicOperations.ZeroMemory(preSharedKey);
        return isAuthentic ? Establish(now, payload) : Refusal.NotAuthentic;
    }

    private Refusal Establish(Instant now, ReadOnlySpan<byte> bytes)
    {
        if (!HandshakePayloadCodec.TryDecode(bytes, out HandshakePayload payload, out Refusal refusal))
        {
            return refusal;
        }

        if (!payload.IsCompleteResponse)
        {
            return Refusal.BadValue;
        }

        if (!_options.Suites.Contains(payload.Suites[0]))
        {
            return Refusal.NoCommonSuite; // spec: HS-24
        }

        _session = new EstablishedSession
        {
            Peer = _options.Ticket.Responder,
            Role = ConnectionRole.Initiator,
            LocalId = LocalId,
            RemoteId = payload.ConnectionId!.Value,
            Keys = SessionKeys.Derive(_noise, ConnectionRole.Initiator, payload.Suites[0]),
            PeerCandidates = payload.Candidates,
            PeerNat = payload.Nat,
            LocalNat = _options.Nat ?? default,
            PeerParameters = payload.Parameters!,
            LocalParameters = _options.Parameters,
            Ticket = _options.Ticket.Id,
            Verdict = payload.Verdict!.Value,
            Transcript = _noise.Transcript.ToArray(),
            RoundTrip = _transmissions == 1 ? now - _startedAt : null,
        };
        State = HandshakeState.Established;
        _isTransmitDue = false;
        return Refusal.None;
    }

    // spec: HS-17
    private Refusal HandleCookie(ReadOnlySpan<byte> datagram)
    {
        if (!HandshakeHeader.TryRead(datagram, FirstByte.CookieReply, CookieReply.Size, out ConnectionId receiver, out Refusal refusal))
        {
            return refusal;
        }

        Span<byte> cookie = stackalloc byte[Cookie.Size];
        if (receiver != LocalId)
        {
            return Refusal.Unexpected;
        }

        if (!Cookie.TryReadReply(datagram, _options.Ticket.Responder, HandshakeInit.Mac1(_init), cookie))
        {
            return Refusal.NotAuthentic;
        }

        MessageMac.Compute(cookie, _init.AsSpan(0, HandshakeInit.Mac2Offset), _init.AsSpan(HandshakeInit.Mac2Offset));
        _isTransmitDue |= ++_cookies <= MaxPromptCookies;
        return Refusal.None;
    }
}
