using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Protocol.Paths;

/// <summary>The pairs of a session, found by address, and whose probe is due first. Bounded. Owned by the <see cref="PathAgent"/>.</summary>
internal sealed class PairTable
{
    /// <summary>Most pairs; more candidates are ignored.</summary>
    // spec: CONST-45
    public const int MaxPairs = 64;

    private readonly List<CandidatePair> _pairs = [];
    private readonly Dictionary<PathAddress, CandidatePair> _byAddress = [];

    /// <summary>All of them, oldest first.</summary>
    public List<CandidatePair> All => _pairs;

    /// <summary>When a probe is due, or earlier.</summary>
    public Instant NextProbe { get; private set; } = Instant.Never;

    /// <summary>
    /// Is there room for another pair? Makes some, if need be; not at the cost of the primary, nor of the pair that data may
    /// have to go back to.
    /// </summary>
    public bool TryMakeRoom(CandidatePair? primary, PeerTrail peer) => _pairs.Count < MaxPairs || TryEvict(primary, peer);

    /// <summary>The pair of two addresses.</summary>
    public bool TryFind(PathAddress address, [NotNullWhen(true)] out CandidatePair? pair) => _byAddress.TryGetValue(address, out pair);

    /// <summary>Adds a pair, for which there is room.</summary>
    public void Add(CandidatePair pair)
    {
        _pairs.Add(pair);
        _byAddress.Add(pair.Address, pair);
    }

    /// <summary>The next probe of a pair is due then.</summary>
    public void Schedule(CandidatePair pair, Instant at)
    {
        pair.NextProbe = at;
        NextProbe = Instant.Min(NextProbe, at);
    }

    /// <summary>
    /// The pair whose probe is due longest, of several the most direct one; null, with the true deadline noted, when none is.
    /// </summary>
    // spec: PATH-85
    public CandidatePair? TakeDue(Instant now)
    {
        CandidatePair? due = null;
        foreach (CandidatePair pair in _pairs)
        {
            if (due is null || pair.NextProbe < due.NextProbe || (pair.NextProbe == due.NextProbe && pair.Kind < due.Kind))
                due = pair;
        }

        NextProbe = due?.NextProbe ?? Instant.Never;
        return NextProbe <= now ? due : null;
    }

    /// <summary>Forgets those that fulfil a condition.</summary>
    public void RemoveAll(Predicate<CandidatePair> condition, PeerTrail peer)
    {
        for (int i = _pairs.Count - 1; i >= 0; i--)
        {
            if (condition(_pairs[i]))
                RemoveAt(i, peer);
        }
    }

    // Forgets a pair that only a packet's source had claimed, and that never or no longer answers.
    private bool TryEvict(CandidatePair? primary, PeerTrail peer)
    {
        int index = _pairs.FindIndex(pair => pair.State == PairState.Probing && !pair.IsAnnounced && pair != primary && pair != peer.Left);
        if (index < 0)
            return false;
        RemoveAt(index, peer);
        return true;
    }

    private void RemoveAt(int index, PeerTrail peer)
    {
        peer.Forget(_pairs[index]);
        _byAddress.Remove(_pairs[index].Address);
        _pairs.RemoveAt(index);
    }
}
