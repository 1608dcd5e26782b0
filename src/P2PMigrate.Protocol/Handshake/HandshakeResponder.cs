using System.Security.Cryptography;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>What a responder brings to all its handshakes.</summary>
public sealed record HandshakeResponderOptions
{
    /// <summary>This peer. Stays the caller's.</summary>
    public required PrivateIdentity Identity { get; init; }

    /// <summary>The tickets that it issued. Stays the caller's; both are used by the same owner.</summary>
    public required TicketBook Tickets { get; init; }

    /// <summary>What this peer announces.</summary>
    public TransportParameters Parameters { get; init; } = new();

    /// <summary>What this peer accepts.</summary>
    public IReadOnlyList<ProtectionSuite> Suites { get; init; } = ProtectionSuites.Supported;

    /// <summary>Handshakes per second that are worked on without asking for a cookie.</summary>
    public double FreeHandshakesPerSecond { get; init; } = 50;

    /// <summary>Handshakes per second and host that are worked on under load, with a good cookie.</summary>
    public double HandshakesPerSecondAndHost { get; init; } = 10;
}

/// <summary>What became of a message 1.</summary>
/// <param name="ReplyLength">Bytes to send back the way the message came; 0 for silence.</param>
/// <param name="Session">A new session, owned by the caller; null for repetitions and refusals.</param>
/// <param name="Refusal">Why there is no session; none for a repetition that was answered again.</param>
/// <param name="LocalId">Our name for the session that the message led to, now or when it came first; none when there was none.</param>
public readonly record struct HandshakeAnswer(int ReplyLength, EstablishedSession? Session, Refusal Refusal, ConnectionId LocalId = default)
{
    /// <summary>Silence.</summary>
    internal static HandshakeAnswer Refused(Refusal refusal) => new(0, null, refusal);
}

/// <summary>
/// The side that answers handshakes: message 1 in, at most one datagram out, and a session for each new message 1 that
/// names a ticket of ours. It keeps no state for anybody who is not authenticated. Repeating an input changes nothing: the same message 1
/// gets the same message 2. One owner, not thread-safe.
/// </summary>
/// <remarks>spec: chapter 03, section 5.</remarks>
public sealed class HandshakeResponder : IDisposable
{
    /// <summary>Bytes that a reply may take.</summary>
    public const int MaxReplySize = HandshakeResponse.Size;

    /// <summary>Hosts that are told apart under load.</summary>
    public const int MaxHosts = 1024;

    private readonly HandshakeResponderOptions _options;
    private readonly IEntropy _entropy;
    private readonly CookieSecret _cookies;
    private readonly byte[] _macKey;
    private readonly AnsweredInits _answered = new();
    private readonly TimestampTable _timestamps = new();
    private readonly HostLimiter _perHost;
    private TokenBucket _free;

    /// <summary>Ready at once.</summary>
    public HandshakeResponder(HandshakeResponderOptions options, IEntropy entropy)
    {
        _options = options;
        _entropy = entropy;
        _cookies = new CookieSecret(entropy);
        _macKey = MessageMac.KeyFor(options.Identity.Public);
        _perHost = new HostLimiter(options.HandshakesPerSecondAndHost, options.HandshakesPerSecondAndHost, MaxHosts, HostShares.Usual);
        _free = new TokenBucket(options.FreeHandshakesPerSecond, options.FreeHandshakesPerSecond);
    }

    /// <summary>Where this peer might be reached, best first; the driver keeps it fresh.</summary>
    public IReadOnlyList<Candidate> Candidates { get; set; } = [];

    /// <summary>The NATs before this peer, as far as they are known; null to say nothing of them, and to be told nothing later.</summary>
    // spec: PATH-61
    public NatProfile? Nat { get; set; }

    /// <summary>
    /// Takes a message 1. <paramref name="source"/> is where it came from; for one inside a rendezvous offer, the initiator's address
    /// as the server saw it. <paramref name="nowUnixSeconds"/> is the time of day in UTC. The reply, if any, is written
    /// to <paramref name="reply"/> and goes back the same way.
    /// </summary>
    public HandshakeAnswer Handle(Instant now, long nowUnixSeconds, NetworkAddress source, ReadOnlySpan<byte> datagram, Span<byte> reply)
    {
        if (Check(now, source, datagram, reply, out ConnectionId initiator) is { } cheap)
        {
            return cheap;
        }

        using var noise = NoiseHandshake.Respond(_options.Identity, PrivateIdentity.Create(_entropy), HandshakeInit.Prologue(datagram));
        Refusal refusal = Read(noise, nowUnixSeconds, datagram, out HandshakePayload offer, out ProtectionSuite suite);
        if (refusal != Refusal.None)
        {
            return HandshakeAnswer.Refused(refusal);
        }

        EstablishedSession? session = Answer(noise, nowUnixSeconds, initiator, offer, suite, reply);
        if (session is null)
        {
            return HandshakeAnswer.Refused(Refusal.NotAuthentic);
        }

        _answered.Add(now, HandshakeInit.Mac1(datagram), reply[..HandshakeResponse.Size], session.LocalId);
        return new HandshakeAnswer(HandshakeResponse.Size, session, Refusal.None, session.LocalId);
    }

    /// <summary>Answers a message 1 again that was answered before, and no other: for a driver without room for a session.</summary>
    // spec: HS-25
    public HandshakeAnswer Repeat(Instant now, ReadOnlySpan<byte> datagram, Span<byte> reply) =>
        !HandshakeHeader.TryRead(datagram, FirstByte.HandshakeInit, HandshakeInit.Size, out _, out Refusal refusal) ? HandshakeAnswer.Refused(refusal)
            : !IsForMe(datagram) ? HandshakeAnswer.Refused(Refusal.BadMac)
            : FindAnswer(now, datagram, reply) ?? HandshakeAnswer.Refused(Refusal.Busy);

    /// <summary>The session of this message 1 was given up at once: the message is not answered when it comes again.</summary>
    public void Forget(ReadOnlySpan<byte> datagram) => _answered.Remove(HandshakeInit.Mac1(datagram));

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_macKey);

    // Everything that costs no elliptic curve: form, mac 1, repetition, load. Null when the work is worth it.
    private HandshakeAnswer? Check(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram, Span<byte> reply, out ConnectionId initiator)
    {
        if (!HandshakeHeader.TryRead(datagram, FirstByte.HandshakeInit, HandshakeInit.Size, out initiator, out Refusal refusal))
        {
            return HandshakeAnswer.Refused(refusal);
        }

        if (!IsForMe(datagram))
        {
            return HandshakeAnswer.Refused(Refusal.BadMac);
        }

        if (FindAnswer(now, datagram, reply) is { } given)
        {
            return given;
        }

        if (_free.TryTake(now))
        {
            return null;
        }

        if (_cookies.IsGoodMac(now, source, datagram[..HandshakeInit.Mac2Offset], HandshakeInit.Mac2(datagram)))
        {
            return _perHost.TryTake(now, source) ? null : HandshakeAnswer.Refused(Refusal.Busy);
        }

        return new HandshakeAnswer(WriteCookie(now, source, initiator, datagram, reply), null, Refusal.CookieRequired);
    }

    // spec: HS-13
    private bool IsForMe(ReadOnlySpan<byte> datagram) =>
        MessageMac.Verify(_macKey, datagram[..HandshakeInit.Mac1Offset], HandshakeInit.Mac1(datagram));

    // spec: HS-25
    private HandshakeAnswer? FindAnswer(Instant now, ReadOnlySpan<byte> datagram, Span<byte> reply) =>
        _answered.TryFind(now, HandshakeInit.Mac1(datagram), reply, out ConnectionId localId)
            ? new HandshakeAnswer(HandshakeResponse.Size, null, Refusal.None, localId)
            : null;

    // spec: HS-16
    private int WriteCookie(Instant now, NetworkAddress source, ConnectionId initiator, ReadOnlySpan<byte> datagram, Span<byte> reply)
    {
        Span<byte> cookie = stackalloc byte[Cookie.Size];
        _cookies.Make(now, source, cookie);
        Cookie.WriteReply(reply, initiator, _options.Identity.Public, HandshakeInit.Mac1(datagram), cookie, _entropy);
        return CookieReply.Size;
    }

    private Refusal Read(NoiseHandshake noise, long nowUnixSeconds, ReadOnlySpan<byte> datagram, out HandshakePayload offer, out ProtectionSuite suite)
    {
        suite = default;
        offer = new HandshakePayload();
        Span<byte> payload = stackalloc byte[HandshakeHeader.PayloadSize];
        if (!noise.TryReadMessage1(HandshakeInit.Noise(datagram), payload))
        {
            return Refusal.NotAuthentic;
        }

        if (!HandshakePayloadCodec.TryDecode(payload, out offer, out Refusal refusal))
        {
            return refusal;
        }

        // spec: HS-26. The order matters: nothing is remembered of a peer without a ticket.
        return !offer.IsCompleteInit ? Refusal.BadValue
            : _options.Tickets.Judge(offer.Ticket!.Value, noise.RemoteStatic!.PeerId, nowUnixSeconds) is null ? Refusal.UnknownTicket
            : !ProtectionSuites.TryChoose([.. offer.Suites], _options.Suites, out suite) ? Refusal.NoCommonSuite
            : !_timestamps.TryAccept(noise.RemoteStatic!.PeerId, offer.Ticket.Value, offer.Timestamp!.Value) ? Refusal.Replayed
            : Refusal.None;
    }

    private EstablishedSession? Answer(NoiseHandshake noise, long nowUnixSeconds, ConnectionId initiator, HandshakePayload offer, ProtectionSuite suite, Span<byte> reply)
    {
        ConnectionId localId = ConnectionId.Create(_entropy);
        TicketVerdict verdict = _options.Tickets.Judge(offer.Ticket!.Value, noise.RemoteStatic!.PeerId, nowUnixSeconds)!.Value;
        if (!TryWriteResponse(noise, initiator, offer.Ticket.Value, Describe(localId, suite, verdict), reply))
        {
            return null;
        }

        return new EstablishedSession
        {
            Peer = noise.RemoteStatic!,
            Role = ConnectionRole.Responder,
            LocalId = localId,
            RemoteId = initiator,
            Keys = SessionKeys.Derive(noise, ConnectionRole.Responder, suite),
            PeerCandidates = offer.Candidates,
            PeerNat = offer.Nat,
            LocalNat = Nat ?? default,
            PeerParameters = offer.Parameters!,
            LocalParameters = _options.Parameters,
            Ticket = offer.Ticket.Value,
            Verdict = verdict,
            Transcript = noise.Transcript.ToArray(),
        };
    }

    private HandshakePayload Describe(ConnectionId localId, ProtectionSuite suite, TicketVerdict verdict) => new()
    {
        ConnectionId = localId,
        Suites = [suite],
        Verdict = verdict, // spec: HS-28
        Candidates = Candidates,
        Nat = Nat,
        Parameters = _options.Parameters,
    };

    private bool TryWriteResponse(NoiseHandshake noise, ConnectionId initiator, TicketId ticket, HandshakePayload answer, Span<byte> reply)
    {
        Span<byte> preSharedKey = stackalloc byte[TicketSecret.PreSharedKeySize];
        Span<byte> payload = stackalloc byte[HandshakeHeader.PayloadSize];
        HandshakePayloadCodec.Encode(answer, payload);
        HandshakeHeader.Write(reply, FirstByte.HandshakeResponse, initiator);
        bool isWritten = _options.Tickets.TryDerivePreSharedKey(ticket, preSharedKey)
            && noise.TryWriteMessage2(preSharedKey, payload, HandshakeResponse.Noise(reply));
        CryptographicOperations.ZeroMemory(preSharedKey);
        MessageMac.Compute(MessageMac.KeyFor(noise.RemoteStatic!), reply[..HandshakeResponse.Mac1Offset], reply[HandshakeResponse.Mac1Offset..]);
        return isWritten;
    }
}
