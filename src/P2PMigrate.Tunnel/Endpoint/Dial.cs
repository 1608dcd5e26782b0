using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sessions;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// One attempt to reach the issuer of a ticket: message 1 goes straight to the ticket's hints and, inside an offer, through
/// the rendezvous server; the first answer by any way makes the session. Loop only, except <see cref="Result"/>.
/// </summary>
internal sealed class Dial : IDisposable
{
    /// <summary>How long the hints may take when the rendezvous server has nothing to say.</summary>
    // spec: CONST-58
    public static readonly TimeSpan HintPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long a session that came by a hint waits for its relay channel.</summary>
    // spec: CONST-59
    public static readonly TimeSpan RelayPatience = TimeSpan.FromSeconds(3);

    private readonly HandshakeInitiator _initiator;
    private readonly DialTarget _target;
    private readonly SessionFactory _factory;
    private readonly Instant _begun;
    private readonly DialFindings _findings = new();
    private readonly TaskCompletionSource<TunnelSession> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionDriver? _session;
    private TransactionId? _offer;
    private Instant _deadline = Instant.Never;
    private bool _awaitsPath;

    /// <summary>The addresses of this peer that message 1 told the other.</summary>
    public required IReadOnlyList<Candidate> Announced { get; init; }

    /// <summary>Takes over <paramref name="initiator"/>; <paramref name="link"/> leads to the server that the ticket names.</summary>
    public Dial(Instant now, DialTarget target, HandshakeInitiator initiator, SessionFactory factory, RendezvousLink? link)
    {
        _begun = now;
        _target = target;
        _initiator = initiator;
        _factory = factory;
        Link = link;
        // A server that serves us already has no reason to introduce itself again.
        _findings.RendezvousAnswered = link is { Client.Observed.IsNone: false };
    }

    /// <summary>The session, or the <see cref="TunnelException"/> that says why there is none. Any thread.</summary>
    public Task<TunnelSession> Result => _result.Task;

    /// <summary>Where the peer may be, before it has told.</summary>
    public NetworkAddress Nearest => _target.Nearest;

    /// <summary>The rendezvous server of this attempt.</summary>
    public RendezvousLink? Link { get; }

    /// <summary>Is there nothing left to wait for, the relay channel of a session that came by a hint included?</summary>
    public bool IsOver => Result.IsCompleted && !_awaitsPath && (_session is null || _offer is null || _deadline == Instant.Never);

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant NextTimeout => Result.IsCompleted ? _deadline : Instant.Min(_deadline, _initiator.NextTimeout);

    /// <summary>Repeats message 1 by every way, gives up with the reason, or stops waiting for a relay.</summary>
    public void HandleTimeout(Instant now, StrayDatagrams strays)
    {
        _initiator.HandleTimeout(now);
        bool isLate = now >= _deadline;
        if (isLate)
            _deadline = Instant.Never;
        if (!Result.IsCompleted && (isLate || _initiator.State == HandshakeState.TimedOut))
            Fail(_findings.ToException(_target));
        else
            SendInit(now, strays);
    }

    /// <summary>
    /// A handshake message came by <paramref name="path"/>, or by the rendezvous server when that is null, with
    /// <paramref name="relay"/> if it opened a channel. A new session is returned to the caller, who adds it to its table.
    /// </summary>
    public SessionDriver? Handle(Instant now, PathAddress? path, RelayRoute? relay, ReadOnlySpan<byte> datagram)
    {
        if (relay is not null && _session is not null)
        {
            _session.AddRelay(now, relay);
            _deadline = Instant.Never;
        }

        if (Result.IsCompleted)
            return null;
        if (!_initiator.TryHandle(now, datagram, out _))
        {
            if (path is null && _offer is { } offer && _initiator.State == HandshakeState.Waiting)
                Link!.Client.RejectAnswer(now, offer); // spec: RDV-52
            return null;
        }

        _findings.PeerAnswered |= _initiator.WasCookieRequired;
        return _initiator.State == HandshakeState.Established ? Establish(now, path, relay) : null;
    }

    /// <summary>A session that had no path at first is handed over when it has one, and dropped when nobody waits for it any more.</summary>
    public void DeliverProven(Instant now)
    {
        if (!_awaitsPath || _session is not { } session)
            return;
        if (session.IsTerminated)
            Fail(_findings.ToException(_target));
        else if (session.HasPath)
            _result.TrySetResult(session.Session);
        if (!Result.IsCompleted)
            return;
        (_awaitsPath, _deadline) = (false, Instant.Never);
        if (!Result.IsCompletedSuccessfully)
            session.Close(now, TunnelErrorCode.None, "nobody waits for the session any more");
    }

    /// <summary>The rendezvous server delivered an answer to our offer.</summary>
    public bool IsAnsweredBy(AnswerReceived answer) => answer.Transaction == _offer;

    /// <summary>The rendezvous server, or the lack of it, tells something about the attempt.</summary>
    public void HandleNews(Instant now, RendezvousEvent news)
    {
        if (_awaitsPath)
            return; // The peer has answered; what becomes of the offer is of no interest any more.
        switch (news)
        {
            case ObservedAddressChanged or AnswerReceived:
                _findings.RendezvousAnswered = true;
                break;
            case OfferRefused refused when refused.Transaction == _offer:
                (_findings.RendezvousAnswered, _findings.PeerIsUnknown, _offer) = (true, true, null);
                RelyOnHints(now);
                break;
            case OfferTimedOut late when late.Transaction == _offer:
                _findings.RendezvousAnswered |= late.WasForwarded;
                _offer = null;
                RelyOnHints(now);
                break;
            case ServerUnreachable:
                _findings.RendezvousAnswered = false;
                RelyOnHints(now);
                break;
        }
    }

    /// <summary>Ends the attempt without a session.</summary>
    public void Fail(TunnelException exception) => _result.TrySetException(exception);

    /// <summary>From any thread: nobody waits any more.</summary>
    public void Cancel() => _result.TrySetCanceled();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_offer is { } offer)
            Link?.Client.CloseOffer(offer);
        _initiator.Dispose();
    }

    private void SendInit(Instant now, StrayDatagrams strays)
    {
        Span<byte> init = stackalloc byte[HandshakeInit.Size];
        if (Result.IsCompleted || !_initiator.TryPollTransmit(init, out int length))
            return;
        foreach (NetworkAddress hint in _target.Hints)
            strays.Add(init[..length], hint);
        if (_offer is { } offer && _initiator.WasCookieRequired)
            Link!.Client.ReplaceOffer(now, offer, init[..length]);
        else if (!_findings.PeerIsUnknown)
            _offer ??= Link?.Client.Offer(now, _target.Ticket.Responder.PeerId, init[..length]);
    }

    private void RelyOnHints(Instant now)
    {
        if (_target.Hints.Count == 0)
            Fail(_findings.ToException(_target));
        else if (!Result.IsCompleted)
            _deadline = Instant.Min(_deadline, Instant.Max(now, _begun + HintPatience));
    }

    private SessionDriver? Establish(Instant now, PathAddress? path, RelayRoute? relay)
    {
        EstablishedSession established = _initiator.TakeSession();
        if (established.Verdict != TicketVerdict.Open)
        {
            established.Dispose();
            Fail(new TunnelException(
                TunnelFailure.TicketRefused, $"The peer refused the ticket: {TicketVerdicts.ToReason(established.Verdict)}. Ask for a new one."));
            return null;
        }

        SessionDriver session = _factory.Create(established, KnownPaths(path, relay), relay, _begun, now);
        if (!session.HasPath)
            return AwaitPath(session);
        if (!_result.TrySetResult(session.Session))
        {
            session.Dispose();
            return null;
        }

        _session = session;
        _deadline = relay is null ? now + RelayPatience : Instant.Never;
        return session;
    }

    // The server carried the handshake and relays nothing: data has to wait until probes have opened a way.
    private SessionDriver AwaitPath(SessionDriver session)
    {
        (_session, _awaitsPath, _findings.HasNoPath) = (session, true, true);
        _deadline = _begun + HandshakeInitiator.AttemptTimeout;
        return session;
    }

    private static IReadOnlyList<KnownPath> KnownPaths(PathAddress? direct, RelayRoute? relay) =>
        direct is { } path ? [new KnownPath(path, IsRemoteProven: true)]
        : relay is not null ? [new KnownPath(relay.Path, IsRemoteProven: true)]
        : [];
}
