using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// The responder's part of an endpoint: answers handshakes, and hands a session to the application once its first packet
/// has opened; before that, message 1 may be a recording. Loop only.
/// </summary>
internal sealed class Answering
{
    /// <summary>Sessions that wait to be accepted; further ones are closed.</summary>
    // spec: CONST-55
    public const int AcceptBacklog = 16;

    private readonly HandshakeResponder _responder;
    private readonly OwnCandidates _own;
    private readonly SessionTable _sessions;
    private readonly SessionFactory _factory;
    private readonly LoopClock _clock;
    private readonly ILogger _logger;
    private readonly List<SessionDriver> _unproven = [];
    private readonly Channel<TunnelSession> _proven = Channel.CreateBounded<TunnelSession>(AcceptBacklog);
    private bool _isLeaving;

    /// <summary>Answers with <paramref name="responder"/>, which it owns.</summary>
    public Answering(HandshakeResponder responder, OwnCandidates own, SessionTable sessions, SessionFactory factory, LoopClock clock, ILogger logger)
    {
        _responder = responder;
        _own = own;
        _sessions = sessions;
        _factory = factory;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Sessions for the application, any thread.</summary>
    public ChannelReader<TunnelSession> Proven => _proven.Reader;

    /// <summary>
    /// A message 1 came by <paramref name="path"/>, or by a rendezvous server when that is null, with
    /// <paramref name="relay"/> if it opened a channel. <paramref name="source"/> is the initiator's address as far as it is
    /// known. Returns the length of the reply; <paramref name="session"/> is the one that the message led to, now or when it
    /// came first.
    /// </summary>
    public int Handle(
        Instant now, NetworkAddress source, PathAddress? path, RelayRoute? relay, ReadOnlySpan<byte> init, Span<byte> reply, out SessionDriver? session)
    {
        session = null;
        if (_isLeaving)
            return 0;
        HandshakeAnswer answer = Answer(now, source, init, reply);
        if (answer.Session is { } established && !TryAdopt(now, established, path, relay))
        {
            _responder.Forget(init);
            return 0;
        }

        session = _sessions.Find(answer.LocalId);
        if (answer.Refusal != Refusal.None)
            Log.HandshakeRefused(_logger, source, answer.Refusal);
        else if (answer.Session is null && relay is not null)
            session?.AddRelay(now, relay);
        return answer.ReplyLength;
    }

    /// <summary>The endpoint goes: nobody is answered any more, and what is there is left to end.</summary>
    public void Leave() => _isLeaving = true;

    /// <summary>Looks which sessions have proven themselves since.</summary>
    public void DeliverProven(Instant now)
    {
        for (int i = _unproven.Count - 1; i >= 0; i--)
        {
            SessionDriver session = _unproven[i];
            if (session.IsProven)
                Deliver(now, session);
            if (session.IsProven || session.IsTerminated)
                _unproven.RemoveAt(i);
        }
    }

    /// <summary>No session will come any more.</summary>
    public void Stop(TunnelException exception)
    {
        _proven.Writer.TryComplete(exception);
        _responder.Dispose();
    }

    private HandshakeAnswer Answer(Instant now, NetworkAddress source, ReadOnlySpan<byte> init, Span<byte> reply)
    {
        if (_sessions.IsFull)
            return _responder.Repeat(now, init, reply); // A session that exists must not fail because no other one can begin.
        _responder.Candidates = _own.For(now, source);
        _responder.Nat = _own.Nat;
        return _responder.Handle(now, _clock.Utc.ToUnixTimeSeconds(), source, init, reply);
    }

    private bool TryAdopt(Instant now, EstablishedSession established, PathAddress? path, RelayRoute? relay)
    {
        if (_sessions.CountOf(established.Ticket) >= SessionTable.MaxPerTicket)
        {
            Log.HandshakeRefused(_logger, path?.Remote ?? default, Refusal.Busy);
            established.Dispose();
            return false;
        }

        // Message 1 may have been sent again by somebody on the way: only its direct source is not proven yet.
        IReadOnlyList<KnownPath> paths = path is { } direct ? [new KnownPath(direct, IsRemoteProven: false)]
            : relay is not null ? [new KnownPath(relay.Path, IsRemoteProven: true)]
            : [];
        SessionDriver session = _factory.Create(established, paths, relay, begun: now, now);
        _sessions.Add(session);
        _unproven.Add(session);
        return true;
    }

    private void Deliver(Instant now, SessionDriver session)
    {
        TunnelSession proven = session.Session;
        if (proven.Verdict != TicketVerdict.Open)
        {
            Log.TicketRefused(_logger, proven.Peer.ToShortString(), proven.Ticket);
            session.Close(now, TunnelErrorCode.TicketRefused, TicketVerdicts.ToReason(proven.Verdict));
        }
        else if (!_proven.Writer.TryWrite(proven))
        {
            session.Close(now, TunnelErrorCode.Busy, "too many sessions wait to be accepted");
        }
        else
        {
            Log.SessionEstablished(_logger, proven.Peer.ToShortString(), ConnectionRole.Responder, (long)proven.Timings.ToEstablished.TotalMilliseconds);
        }
    }
}
