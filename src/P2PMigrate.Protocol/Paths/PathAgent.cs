using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Punching;
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
/// primary that leaves four probes unanswered gives way to a path that answered meanwhile, and starts again as a pair.
/// </remarks>
internal sealed partial class PathAgent(TunnelConnectionOptions options, EventQueue events)
{
    private readonly PairTable _pairs = new();
    private readonly ProbeResponder _responder = new();
    private readonly ProbeTimetable _timetable = new(options.Paths);
    private readonly PathSelector _selector = new(options.Paths);
    private readonly PeerTrail _peer = new();
    private readonly ProbeMaker _maker = new(options.Entropy);
    private readonly Puncher _puncher = new(options);
    private readonly UpgradeTimetable _upgrades = new();
    private readonly ShortOpeners _openers = new(options.Role);
    private IReadOnlyList<LocalSocket> _sockets = options.Sockets;
    private TokenBucket _budget = new(ProbeTimetable.ProbesPerSecond, ProbeTimetable.ProbeBurst);
    private int _silence;

    /// <summary>The path that carries data, or null before one is usable.</summary>
    public CandidatePair? Primary { get; private set; }

    /// <summary>All pairs, oldest first.</summary>
    public IReadOnlyList<CandidatePair> Pairs => _pairs.All;

    /// <summary>How often a primary path was found to drop datagrams that had passed before.</summary>
    public int BlackHoles { get; private set; }

    /// <summary>When a probe is due.</summary>
    public Instant NextTimeout => _responder.HasPending ? default
        : Instant.Min(Instant.Min(_pairs.NextProbe, SizeProbeAt), Instant.Min(SearchAt, _puncher.NextAt));

    // While it is in doubt whether the present size passes, no other is tried; nor before a round trip is known.
    private Instant SizeProbeAt =>
        Primary is { IsUsable: true, IsProven: true, Check.IsOpen: false } primary && (primary.PresentRoundTrip.HasSample || options.HandshakeRoundTrip is not null)
            ? primary.Sizes.NextProbe
            : Instant.Never;

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
        NoteAnnounced(candidate);
        foreach (LocalSocket socket in _sockets)
        {
            if (!socket.Reaches(candidate.Address) || FindOrAdd(now, new(socket.Interface, candidate.Address)) is not { } pair)
                continue;
            pair.IsAnnounced = true;
            if (candidate.Kind == CandidateKind.Relayed)
                HandleLent(now, pair);
        }
    }

    /// <summary>The machine's network changed: every pair is probed again from the start, and new sockets make new pairs.</summary>
    public void HandleNetworkChange(Instant now, IReadOnlyList<LocalSocket> sockets)
    {
        _sockets = sockets;
        foreach (NetworkAddress remote in AnnouncedAddresses())
            AddRemoteCandidate(now, new(CandidateKind.Host, remote));
        foreach (CandidatePair pair in _pairs.All)
        {
            int silence = pair.IsUsable ? pair.Unanswered : 0; // A dead path must not look alive whenever something changes.
            Enter(now, pair, pair.State);
            pair.Unanswered = pair == Primary ? Math.Min(silence, PathSelector.SuspectAfter) : silence;
        }

        _selector.HandleDistress(now);
        Primary?.Check.Open();
        SearchAgain(now);
    }

    /// <summary>
    /// Authentic datagrams came together; <paramref name="isNewestData"/> when one of them carries data and has the largest
    /// number of its label, so that their source is where the peer is now.
    /// </summary>
    // spec: PATH-05, PATH-30
    public void HandleDatagrams(Instant now, PathAddress from, int bytes, bool isNewestData)
    {
        if ((from == Primary?.Address ? Primary : FindOrAdd(now, from)) is not { } pair)
            return;
        pair.HandleReceived(now, bytes);
        if (_openers.HandleHeard(now, pair.Kind == PathKind.Direct))
            ProbeAgain(now); // The peer has begun, so its NATs are open to what comes from here now, or in a moment.
        if (!isNewestData)
            return;
        bool isNews = _peer.Note(pair);
        if (isNews && pair.State == PairState.Probing)
            _pairs.Schedule(pair, Instant.Min(pair.NextProbe, now + ProbeTimetable.TriggeredDelay(pair)));
        if (isNews && pair.IsUsable && Primary is { } primary && !primary.IsSameWayAs(pair))
            DoubtAll(now); // The peer prefers a relay, or a direct path that we have not chosen: ours may be dead.
        FollowPeer(now);
    }

    /// <summary>A probe came: it is answered to where it came from, and makes us probe that pair at once.</summary>
    // spec: PATH-03, PATH-06
    public void HandleChallenge(Instant now, PathAddress from, in PathChallengeFrame frame)
    {
        _responder.Add(from, frame.Token);
        if (_pairs.TryFind(from, out CandidatePair? pair) && pair.State == PairState.Probing)
            _pairs.Schedule(pair, Instant.Min(pair.NextProbe, now + ProbeTimetable.TriggeredDelay(pair)));
    }

    /// <summary>An answer came. It counts only for the pair that the probe was sent on.</summary>
    // spec: PATH-07, PATH-11
    public void HandleResponse(Instant now, PathAddress from, in PathResponseFrame frame)
    {
        if (!_pairs.TryFind(from, out CandidatePair? pair) || !pair.Probes.TryTake(frame.Token, out SentProbe probe))
            return;
        pair.IsProven = true;
        pair.Unanswered = 0;
        pair.AnsweredAt = now;
        pair.RoundTrip.Add(now, now - probe.SentAt, TimeSpan.Zero);
        if (pair.Kind == PathKind.Direct && pair.Address.Local.Index == 0)
            events.AddObserved(pair.Address.Local, frame.Observed);
        if (pair.State == PairState.Validated)
            HandleSizeAnswered(now, pair, probe.Size);
        else if (probe.Size >= pair.MinSize)
            Validate(now, pair, probe.Size);
        else if (pair == _peer.At && Primary?.IsSameRouteAs(pair) == true)
            Validate(now, pair, Primary.ValidatedSize); // Only the port is new: full datagrams have passed on this way.
        else if (pair.State == PairState.Probing)
            Enter(now, pair, PairState.Answered);
        FollowPeer(now);
        Select(now);
    }

    /// <summary>
    /// Acknowledgements show that the primary path works in both directions: no probe is needed for a while, unless it has
    /// to be validated. A doubt about the size of datagrams goes only if a full one arrived.
    /// </summary>
    public void HandlePrimaryAlive(Instant now, bool isFullDelivered)
    {
        _silence = 0;
        if (Primary is not { IsUsable: true } primary)
            return;
        primary.Unanswered = 0;
        if (isFullDelivered || primary.Sizes.Proven == primary.MinSize)
            primary.Check.Close();
        if (!primary.Check.IsOpen)
            _pairs.Schedule(primary, now + options.Paths.PrimaryKeepAlive);
    }

    /// <summary>
    /// Data on the primary path went unacknowledged for so many probe timeouts: after the first it is probed itself, after
    /// the second the standby paths are too.
    /// </summary>
    // spec: PATH-22
    public void HandleSilence(Instant now, int timeouts)
    {
        if (timeouts <= _silence)
            return;
        _silence = timeouts;
        if (timeouts == PathSelector.DistressAfter)
            DoubtAll(now);
        else
            HandleSizeDoubt(now);
    }

    /// <summary>Full datagrams on the primary path may not arrive any more: probes of both sizes will tell.</summary>
    // spec: PATH-44
    public void HandleSizeDoubt(Instant now)
    {
        if (Primary is not { Check.IsOpen: false } primary)
            return;
        primary.Check.Open();
        if (primary.Unanswered == 0)
            _pairs.Schedule(primary, now);
    }

    /// <summary>Takes the next probe or answer that has to go out.</summary>
    public bool TryPollProbe(Instant now, out OutgoingProbe probe)
    {
        if (now >= SearchAt)
            Search(now);
        if (_responder.TryTake(out probe))
        {
            if (_pairs.TryFind(probe.Path, out CandidatePair? pair))
                pair.HandleSent(probe.DatagramSize);
            return true;
        }

        while (now >= _pairs.NextProbe && _pairs.TakeDue(now) is { } pair)
        {
            if (TrySend(now, pair, out probe))
                return true;
        }

        return (now >= SizeProbeAt && TrySendSizeProbe(now, Primary!, out probe)) || (now >= _puncher.NextAt && TryPunch(now, out probe));
    }

    private void Validate(Instant now, CandidatePair pair, int size)
    {
        Enter(now, pair, PairState.Validated);
        if (pair == Primary)
        {
            _peer.HandleValidated(); // Data took it before, with the sizes of the same route.
            return;
        }

        pair.ValidatedSize = size;
        pair.Sizes.Restart(now, size);
    }

    private bool TrySend(Instant now, CandidatePair pair, out OutgoingProbe probe)
    {
        probe = default;
        if (!ProbeTimetable.IsWorthProbing(now, pair, Primary))
        {
            _pairs.Schedule(pair, Instant.Never);
            return false;
        }

        if (!MaySend(now, pair))
        {
            _pairs.Schedule(pair, now + ProbeTimetable.Step);
            return false;
        }

        int size = PickSize(now, pair);
        bool isAllowed = pair.IsAnnounced || pair.Allows(size);
        if (isAllowed)
            probe = _maker.Make(now, pair, size) with { HopLimit = HopLimitOf(now, pair) };
        if (pair.Check is { IsOpen: true, IsInRound: true })
            return isAllowed; // The rest of the round follows at once.

        pair.ProbeCount++;
        pair.Unanswered++;
        AfterProbe(now, pair);
        return isAllowed;
    }

    // A session with nothing left takes nothing from the others, and one that waits for the others keeps what it has for its paths.
    // spec: PATH-04, PATH-84
    private bool MaySend(Instant now, CandidatePair pair) =>
        _budget.Has(now) && (pair.State != PairState.Probing || options.Probing.TryTake(now)) && _budget.TryTake(now);

    private void AfterProbe(Instant now, CandidatePair pair)
    {
        _pairs.Schedule(pair, _timetable.NextAfterProbe(now, pair, pair == Primary));
        if (pair == Primary && pair.Unanswered == PathSelector.DistressAfter)
            ProbeStandbys(now);
        if (pair == Primary && pair.Unanswered == PathSelector.SuspectAfter)
            ProbeAgain(now);
        if (ProbeTimetable.HasFailed(pair) && pair != Primary)
            Enter(now, pair, PairState.Probing);
        else
            Select(now);
        if (Primary is { IsUsable: false } untested && PathSelector.IsSuspect(untested) && _peer.Left is { } left)
            GoBack(now, left);
    }

    // Neither answers. Somebody on the way may hold back even the answers of the address that was left, which worked before:
    // data takes it again, but unless packets have come from there meanwhile, it has to show by full probes that it works.
    // spec: PATH-35
    private void GoBack(Instant now, CandidatePair left)
    {
        PairState state = _peer.IsLeftHeard ? PairState.Validated : PairState.Answered;
        MovePrimary(now, left);
        Enter(now, left, state);
    }

    private void DoubtAll(Instant now)
    {
        HandleSizeDoubt(now);
        ProbeStandbys(now);
    }

    private void ProbeStandbys(Instant now)
    {
        _selector.HandleDistress(now);
        events.Add(new PathsSilent()); // spec: PATH-80
        foreach (CandidatePair standby in _pairs.All.Where(pair => pair.IsUsable && pair != Primary))
            _pairs.Schedule(standby, now);
    }

    private void ProbeAgain(Instant now)
    {
        foreach (CandidatePair pair in _pairs.All.Where(pair => pair.State == PairState.Probing && pair != Primary))
            Enter(now, pair, PairState.Probing);
    }

    // spec: PATH-31, PATH-35
    private void FollowPeer(Instant now)
    {
        if (_peer.Follow(now, Primary) is not { } pair)
            return;
        CandidatePair left = Primary!;
        bool wasUsable = left.IsUsable;
        MovePrimary(now, pair);
        if (wasUsable)
            Enter(now, left, PairState.Answered); // It has to show again that it works, or its good name would win data back.
        if (!pair.IsUsable)
            _selector.HandleDistress(now);
    }

    // spec: PATH-21, PATH-23
    private void Select(Instant now)
    {
        if (_selector.Choose(_pairs.All, Primary) is { } best && best != Primary)
            MovePrimary(now, best);
    }

    private void MovePrimary(Instant now, CandidatePair next)
    {
        CandidatePair? previous = Primary;
        Primary = next;
        _silence = 0;
        if (previous is { IsUsable: false })
            _peer.HandleFailed();
        next.SucceedTo(now, previous);
        if (previous is not null && PathSelector.IsSuspect(previous))
            Enter(now, previous, PairState.Probing);
        _pairs.Schedule(next, Instant.Min(next.NextProbe, now + options.Paths.PrimaryKeepAlive));
        events.Add(new PrimaryPathChanged(next.Status));
        FollowSearch(now);
    }

    private void Enter(Instant now, CandidatePair pair, PairState state)
    {
        pair.State = state;
        pair.ProbeCount = 0;
        pair.Unanswered = 0;
        pair.Check.Close();
        pair.ProbingSince = now;
        _pairs.Schedule(pair, state == PairState.Validated && pair.AnsweredAt == now ? now + _timetable.KeepAlive(pair == Primary) : now);
    }

    private CandidatePair? FindOrAdd(Instant now, PathAddress address)
    {
        if (_pairs.TryFind(address, out CandidatePair? pair) || !_pairs.TryMakeRoom(Primary, _peer))
            return pair;
        pair = new(address, options.HandshakeRoundTrip ?? options.Recovery.InitialRoundTrip, options.Paths);
        _pairs.Add(pair);
        Enter(now, pair, PairState.Probing);
        return pair;
    }
}
