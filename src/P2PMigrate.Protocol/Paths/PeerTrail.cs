namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// From where the peer's newest data comes, and whether ours shall go there too: at once when only a NAT has chosen another
/// port, else when the new pair is validated and the old address silent. Owned by the <see cref="PathAgent"/>.
/// </summary>
internal sealed class PeerTrail
{
    /// <summary>
    /// Data follows to an untested port so often at most, half as often after each that did not answer: whoever sends the
    /// peer's packets on from false ports must not lead it about.
    /// </summary>
    // spec: CONST-151
    public static readonly TimeSpan UntestedInterval = TimeSpan.FromSeconds(1), LongestInterval = TimeSpan.FromSeconds(64);

    // The peer has left an address when nothing came from there for so long while packets come from elsewhere.
    private static readonly TimeSpan s_minSilence = TimeSpan.FromMilliseconds(10);

    private Instant? _untestedAt;
    private TimeSpan _interval = UntestedInterval;

    /// <summary>The pair that the peer's newest data came on.</summary>
    public CandidatePair? At { get; private set; }

    /// <summary>The pair that data left for one that is not validated yet.</summary>
    public CandidatePair? Left { get; private set; }

    /// <summary>Has anything come from the pair that data left since then?</summary>
    public bool IsLeftHeard => Left?.LastHeardAt > _untestedAt;

    /// <summary>Newest data came on this pair; true when that is news.</summary>
    public bool Note(CandidatePair pair)
    {
        bool isNews = At != pair;
        At = pair;
        return isNews;
    }

    /// <summary>The pair that data has to follow the peer to now, or null.</summary>
    // spec: PATH-31, PATH-35
    public CandidatePair? Follow(Instant now, CandidatePair? primary)
    {
        if (At is not { } pair || primary is null || pair == primary || !pair.IsSameWayAs(primary))
            return null;
        if (pair.IsUsable)
            return HasLeft(now, primary, pair) ? pair : null;
        if (!pair.IsSameRouteAs(primary) || !primary.IsUsable || now < _untestedAt + _interval)
            return null;
        _untestedAt = now;
        Left = primary;
        return pair;
    }

    /// <summary>The pair is no longer known.</summary>
    public void Forget(CandidatePair pair) => At = At == pair ? null : At;

    /// <summary>The primary path is validated: the port, if data followed the peer to one, is what it seemed to be.</summary>
    public void HandleValidated()
    {
        if (Left is not null)
            (Left, _interval) = (null, UntestedInterval);
    }

    /// <summary>Data leaves a primary path that is not validated: the port, if it followed the peer to one, was not worth it.</summary>
    // spec: PATH-35
    public void HandleFailed()
    {
        if (Left is null)
            return;
        Left = null;
        _interval = 2 * _interval < LongestInterval ? 2 * _interval : LongestInterval;
    }

    private static bool HasLeft(Instant now, CandidatePair primary, CandidatePair pair)
    {
        TimeSpan half = pair.RoundTrip.Smoothed / 2; // What still came from the old address was only late.
        TimeSpan silence = half > s_minSilence ? half : s_minSilence;
        return primary.LastHeardAt is not { } heard || (heard < pair.LastHeardAt && now - heard >= silence);
    }
}
