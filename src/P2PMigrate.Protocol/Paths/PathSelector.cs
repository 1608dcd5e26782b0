namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// Chooses the primary path. Probes may only promote; the primary gives way to a worse path only when it is silent while
/// the other one answers. One owner.
/// </summary>
internal sealed class PathSelector(PathOptions options)
{
    /// <summary>Unanswered probes after which a primary path is in distress and its standbys are asked too.</summary>
    public const int DistressAfter = 2;

    /// <summary>Unanswered probes after which a path is suspected to be dead.</summary>
    // spec: CONST-76
    public const int SuspectAfter = 4;

    private Instant _distressSince;

    /// <summary>Is the path probably dead?</summary>
    public static bool IsSuspect(CandidatePair pair) => pair.Unanswered >= SuspectAfter;

    /// <summary>The primary path is in doubt from now on.</summary>
    public void HandleDistress(Instant now) => _distressSince = now;

    /// <summary>The best path to use, or null when none is better than what there is.</summary>
    public CandidatePair? Choose(List<CandidatePair> pairs, CandidatePair? primary)
    {
        bool isSuspect = primary is not null && IsSuspect(primary);
        CandidatePair? best = null;
        foreach (CandidatePair pair in pairs)
        {
            if (!pair.IsUsable || IsSuspect(pair) || (isSuspect && !(pair.AnsweredAt >= _distressSince)))
                continue;
            if (primary is { IsUsable: false } && pair.AnsweredAt >= _distressSince && pair.IsSameRouteAs(primary))
                return pair; // The port that data followed the peer to is not proven, and the one that it left answers.
            if (best is null || PathScore.Of(pair).IsWorthMovingFrom(PathScore.Of(best), TimeSpan.Zero))
                best = pair;
        }

        if (best is null || primary is null || isSuspect)
            return best;
        return PathScore.Of(best).IsWorthMovingFrom(PathScore.Of(primary), options.RoundTripHysteresis) ? best : null;
    }
}
