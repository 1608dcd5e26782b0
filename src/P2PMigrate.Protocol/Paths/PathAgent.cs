using System.Buffers.Binary;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// Finds the paths between two peers and chooses the one that carries data. Pure: candidates, probes and their answers go
/// in; probes to send, the primary path and events come out. One owner.
/// </summary>
/// <remarks>
/// The story of a pair. Each of our sockets with each announced address makes a pair. Both peers probe all pairs at the
/// same moments (0, 10, 20, 40, 80 … ms), so that both NATs have let one packet out when the other's comes in. An answer
/// proves the address; a probe as large as a full datagram then proves that data passes; the pair is a path. A packet from
/// an address that nobody announced makes a pair too, with at most three times its bytes in return until it answers.
/// Paths are probed on, slowly, which keeps NAT mappings alive and shows death. Probes promote; only silence demotes: a
/// primary that leaves three probes unanswered gives way to a path that answered meanwhile, and starts again as a pair.
/// </remarks>
internal sealed class PathAgent(TunnelConnectionOptions options, EventQueue events)
{
    /// <summary>Most pairs; more candidates are ignored.</summary>
    // spec: CONST-45
    public const int MaxPairs = 64;

    private readonly List<CandidatePair> _pairs = [];
    private readonly Dictionary<PathAddress, CandidatePair> _pairsByAddress = [];
    private readonly ProbeResponder _responder = new();
    private readonly ProbeTimetable _timetable = new(options.Paths);
    private readonly PathSelector _selector = new(options.Paths);
    private IReadOnlyList<LocalSocket> _sockets = options.Sockets;
    private TokenBucket _budget = new(ProbeTimetable.ProbesPerSecond, ProbeTimetable.ProbeBurst);
    private Instant _nextProbe = Instant.Never;

    /// <summary>The path that carries data, or null before one is usable.</summary>
    public CandidatePair? Primary { get; private set; }

    /// <summary>All pairs, oldest first.</summary>
    public IReadOnlyList<CandidatePair> Pairs => _pairs;

    /// <summary>When a probe is due.</summary>
    public Instant NextTimeout => _responder.HasPending ? default : _nextProbe;

    /// <summary>A path that needs no validation before it carries data.</summary>
    public void AddKnownPath(Instant now, KnownPath path)
    {
        if (FindOrAdd(now, path.Address) is not { } pair)
            return;
        pair.IsAnnounced = pair.IsKnown = true;
        pair.IsProven |= path.IsRemoteProven;
        Enter(now, pair, PairState.Validated);
        Select(now);
    }

    /// <summary>The peer may be reachable there.</summary>
    // spec: PATH-02
    public void AddRemoteCandidate(Instant now, Candidate candidate)
    {
        if (!candidate.Address.IsUsable)
            return;
        foreach (LocalSocket socket in _sockets)
        {
            if (socket.Reaches(candidate.Address) && FindOrAdd(now, new(socket.Interface, candidate.Address)) is { } pair)
                pair.IsAnnounced = true;
        }
    }

    /// <summary>The machine's network changed: every pair is probed again from the start, and new sockets make new pairs.</summary>
    public void HandleNetworkChange(Instant now, IReadOnlyList<LocalSocket> sockets)
    {
        _sockets = sockets;
        foreach (NetworkAddress remote in _pairs.Where(pair => pair.IsAnnounced && pair.Address.Kind == PathKind.Direct)
            .Select(pair => pair.Address.Remote).Distinct().ToList())
            AddRemoteCandidate(now, new(CandidateKind.Host, remote));
        foreach (CandidatePair pair in _pairs)
            Enter(now, pair, pair.State);
    }

    /// <summary>
    /// An authentic datagram came; <paramref name="isNewestData"/> when it carries data and has the largest number of its
    /// label, so that its source is where the peer is now.
    /// </summary>
    // spec: PATH-05, PATH-30
    public void HandleDatagram(Instant now, PathAddress from, int bytes, bool isNewestData)
    {
        if ((from == Primary?.Address ? Primary : FindOrAdd(now, from)) is not { } pair)
            return;
        pair.HandleReceived(now, bytes);
        if (isNewestData && pair != Primary && PathSelector.HasPeerMovedTo(now, pair, Primary))
            MovePrimary(now, pair);
    }

    /// <summary>A probe came: it is answered to where it came from, and makes us probe that pair at once.</summary>
    // spec: PATH-03, PATH-06
    public void HandleChallenge(Instant now, PathAddress from, in PathChallengeFrame frame)
    {
        _responder.Add(from, frame.Token);
        if (_pairsByAddress.TryGetValue(from, out CandidatePair? pair) && pair.State == PairState.Probing)
            Schedule(pair, Instant.Min(pair.NextProbe, now + ProbeTimetable.TriggeredDelay(pair)));
    }

    /// <summary>An answer came. It counts only for the pair that the probe was sent on.</summary>
    // spec: PATH-07, PATH-11
    public void HandleResponse(Instant now, PathAddress from, in PathResponseFrame frame)
    {
        if (!_pairsByAddress.TryGetValue(from, out CandidatePair? pair) || !pair.Probes.TryTake(frame.Token, out SentProbe probe))
            return;
        pair.IsProven = true;
        pair.Unanswered = 0;
        pair.AnsweredAt = now;
        pair.RoundTrip.Add(now - probe.SentAt, TimeSpan.Zero);
        if (pair.Address.Kind == PathKind.Direct)
            events.AddObserved(pair.Address.Local, frame.Observed);
        if (pair.State == PairState.Probing)
            Enter(now, pair, PairState.Answered);
        else if (pair.State == PairState.Answered && probe.IsFull)
        {
            Enter(now, pair, PairState.Validated);
            events.Add(new PathValidated(pair.Status));
        }
        else if (pair.State == PairState.Validated)
            Schedule(pair, now + _timetable.KeepAlive(pair == Primary));

        Select(now);
    }

    /// <summary>Acknowledgements show that the primary path works in both directions: no probe is needed for a while.</summary>
    public void HandlePrimaryAlive(Instant now)
    {
        if (Primary is not { } primary)
            return;
        primary.Unanswered = 0;
        primary.IsDoubted = false;
        Schedule(primary, now + options.Paths.PrimaryKeepAlive);
    }

    /// <summary>Data on the primary path goes unacknowledged: probes it and the standby paths at once.</summary>
    // spec: PATH-22
    public void HandleDistress(Instant now)
    {
        if (Primary is not { Unanswered: 0 } primary)
            return;
        primary.IsDoubted = true;
        Schedule(primary, now);
        ProbeStandbys(now);
    }

    /// <summary>Takes the next probe or answer that has to go out.</summary>
    public bool TryPollProbe(Instant now, out OutgoingProbe probe)
    {
        if (_responder.TryTake(out probe))
        {
            _pairsByAddress.GetValueOrDefault(probe.Path)?.HandleSent(probe.DatagramSize);
            return true;
        }

        while (now >= _nextProbe && TakeDue(now) is { } pair)
        {
            if (TrySend(now, pair, out probe))
                return true;
        }

        return false;
    }

    private bool TrySend(Instant now, CandidatePair pair, out OutgoingProbe probe)
    {
        probe = default;
        if (!ProbeTimetable.IsWorthProbing(now, pair, Primary))
        {
            Schedule(pair, Instant.Never);
            return false;
        }

        if (!_budget.TryTake(now))
        {
            Schedule(pair, now + ProbeTimetable.Step);
            return false;
        }

        bool isFull = pair.State == PairState.Answered || pair.IsDoubted;
        int size = isFull ? options.Paths.DatagramSize : ProbeTimetable.SmallDatagram;
        bool isAllowed = pair.IsAnnounced || pair.Allows(size);
        if (isAllowed)
        {
            probe = new(pair.Address, NewToken(), IsResponse: false, default, size);
            pair.Probes.Add(new(probe.Token, now, isFull));
            pair.HandleSent(size);
        }

        pair.ProbeCount++;
        pair.Unanswered++;
        AfterProbe(now, pair);
        return isAllowed;
    }

    private void AfterProbe(Instant now, CandidatePair pair)
    {
        Schedule(pair, _timetable.NextAfterProbe(now, pair, pair == Primary));
        if (pair == Primary && pair.Unanswered == PathSelector.DistressAfter)
            ProbeStandbys(now);
        if (pair == Primary && pair.Unanswered == PathSelector.SuspectAfter)
            ProbeAgain(now);
        if (ProbeTimetable.HasFailed(pair) && pair != Primary)
            Enter(now, pair, PairState.Probing);
        else
            Select(now);
    }

    private void ProbeStandbys(Instant now)
    {
        _selector.HandleDistress(now);
        foreach (CandidatePair standby in _pairs.Where(pair => pair.IsUsable && pair != Primary))
            Schedule(standby, now);
    }

    private void ProbeAgain(Instant now)
    {
        foreach (CandidatePair pair in _pairs.Where(pair => pair.State == PairState.Probing))
            Enter(now, pair, PairState.Probing);
    }

    // spec: PATH-21, PATH-23
    private void Select(Instant now)
    {
        if (_selector.Choose(_pairs, Primary) is { } best && best != Primary)
            MovePrimary(now, best);
    }

    private void MovePrimary(Instant now, CandidatePair next)
    {
        CandidatePair? previous = Primary;
        Primary = next;
        if (previous is not null && PathSelector.IsSuspect(previous))
            Enter(now, previous, PairState.Probing);
        Schedule(next, Instant.Min(next.NextProbe, now + options.Paths.PrimaryKeepAlive));
        events.Add(new PrimaryPathChanged(next.Status));
    }

    private void Enter(Instant now, CandidatePair pair, PairState state)
    {
        pair.State = state;
        pair.ProbeCount = 0;
        pair.Unanswered = 0;
        pair.IsDoubted = false;
        pair.ProbingSince = now;
        Schedule(pair, state == PairState.Validated && pair.AnsweredAt == now ? now + _timetable.KeepAlive(pair == Primary) : now);
    }

    private CandidatePair? FindOrAdd(Instant now, PathAddress address)
    {
        if (_pairsByAddress.TryGetValue(address, out CandidatePair? pair) || (_pairs.Count == MaxPairs && !TryEvict()))
            return pair;
        pair = new(address, options.HandshakeRoundTrip ?? options.Recovery.InitialRoundTrip);
        _pairs.Add(pair);
        _pairsByAddress.Add(address, pair);
        Enter(now, pair, PairState.Probing);
        return pair;
    }

    /// <summary>Forgets a pair that only a packet's source had claimed, and that never or no longer answers.</summary>
    private bool TryEvict()
    {
        int index = _pairs.FindIndex(pair => pair.State == PairState.Probing && !pair.IsAnnounced && pair != Primary);
        if (index < 0)
            return false;
        _pairsByAddress.Remove(_pairs[index].Address);
        _pairs.RemoveAt(index);
        return true;
    }

    private void Schedule(CandidatePair pair, Instant at)
    {
        pair.NextProbe = at;
        _nextProbe = Instant.Min(_nextProbe, at);
    }

    /// <summary>The pair whose probe is due longest; null, with the true deadline noted, when none is.</summary>
    private CandidatePair? TakeDue(Instant now)
    {
        CandidatePair? due = null;
        foreach (CandidatePair pair in _pairs)
        {
            if (due is null || pair.NextProbe < due.NextProbe)
                due = pair;
        }

        _nextProbe = due?.NextProbe ?? Instant.Never;
        return _nextProbe <= now ? due : null;
    }

    private ulong NewToken()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        options.Entropy.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
