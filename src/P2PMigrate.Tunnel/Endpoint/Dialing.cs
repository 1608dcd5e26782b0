using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>The initiator's part of an endpoint: the dials under way. Loop only.</summary>
internal sealed class Dialing(
    TunnelOptions options, OwnCandidates own, SessionTable sessions, SessionFactory factory, StrayDatagrams strays, LoopClock clock)
{
    /// <summary>Dials under way at a time.</summary>
    // spec: CONST-56
    public const int MaxDials = 16;

    private readonly List<Dial> _dials = [];

    /// <summary>The earliest deadline of all.</summary>
    public Instant NextTimeout
    {
        get
        {
            Instant next = Instant.Never;
            foreach (Dial dial in _dials)
                next = Instant.Min(next, dial.NextTimeout);
            return next;
        }
    }

    /// <summary>Begins an attempt to reach the issuer of a ticket.</summary>
    public Dial Begin(Instant now, DialTarget target, RendezvousLink? link)
    {
        if (_dials.Count == MaxDials || sessions.IsFull)
            throw new TunnelException(TunnelFailure.Local, "Too many dials or sessions at a time; wait for one to end.");
        IReadOnlyList<Candidate> candidates = own.For(now, target.Nearest);
        var initiatorOptions = new HandshakeInitiatorOptions
        {
            Identity = options.Identity,
            Ticket = target.Ticket,
            TimestampUnixNanoseconds = clock.UniqueUtcNanoseconds(),
            Candidates = candidates,
            Nat = own.Nat,
            Suites = options.Suites,
            Parameters = options.Parameters,
        };
        var initiator = new HandshakeInitiator(now, initiatorOptions, CryptographicEntropy.Instance);
        var dial = new Dial(now, target, initiator, factory, link) { Announced = candidates };
        _dials.Add(dial);
        return dial;
    }

    /// <summary>A handshake message came to the socket itself: each dial knows which are its own.</summary>
    public void HandleDirect(Instant now, PathAddress path, ReadOnlySpan<byte> datagram)
    {
        foreach (Dial dial in _dials)
        {
            if (dial.Handle(now, path, relay: null, datagram) is { } session)
                Adopt(now, dial, session);
        }
    }

    /// <summary>A rendezvous server has news.</summary>
    public void HandleNews(Instant now, RendezvousLink link, RendezvousEvent news)
    {
        foreach (Dial dial in _dials)
        {
            if (dial.Link != link)
                continue;
            dial.HandleNews(now, news);
            if (news is AnswerReceived answer && dial.IsAnsweredBy(answer))
                HandleAnswer(now, link, dial, answer);
        }
    }

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        foreach (Dial dial in _dials)
            dial.HandleTimeout(now, strays);
    }

    /// <summary>Looks which sessions have found a path since.</summary>
    public void DeliverProven(Instant now)
    {
        foreach (Dial dial in _dials)
            dial.DeliverProven(now);
    }

    /// <summary>Does a dial under way need this server?</summary>
    public bool Uses(RendezvousLink link) => _dials.Exists(dial => dial.Link == link);

    /// <summary>Forgets the dials that are over.</summary>
    public void DropFinished()
    {
        for (int i = _dials.Count - 1; i >= 0; i--)
        {
            if (!_dials[i].IsOver)
                continue;
            _dials[i].Dispose();
            _dials.RemoveAt(i);
        }
    }

    /// <summary>The endpoint goes.</summary>
    public void FailAll(TunnelException exception)
    {
        foreach (Dial dial in _dials)
            dial.Fail(exception);
    }

    private void HandleAnswer(Instant now, RendezvousLink link, Dial dial, AnswerReceived answer)
    {
        if (dial.Handle(now, path: null, RelayRoute.From(link, answer.Leg), answer.Datagram.Span) is not { } session)
            return;
        link.Introduce(now, session, answer.Responder, options.AllowDirectPaths);
        Adopt(now, dial, session);
    }

    // What was learned while message 1 was under way was told to no session, for there was none.
    // spec: PATH-51
    private void Adopt(Instant now, Dial dial, SessionDriver session)
    {
        foreach (Candidate late in own.For(now, dial.Nearest).Except(dial.Announced))
            session.AddLocalCandidate(late);
        sessions.Add(session);
        if (own.Nat is { } nat)
            session.SetLocalNat(nat); // More may be known than when message 1 was written.
        Log.SessionEstablished(
            options.Logger, session.Session.Peer.ToShortString(), ConnectionRole.Initiator, (long)session.Session.Timings.ToEstablished.TotalMilliseconds);
    }
}
