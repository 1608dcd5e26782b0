namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// The smallest round trip of the last ten seconds, which is that of the path when no queue stands on it, and the
/// knowledge whether it was seen lately. One owner.
/// </summary>
internal sealed class BbrRoundTrip
{
    private const int ToleranceDivisor = 64;
    private const int GranularityDivisor = 16;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_probeInterval = TimeSpan.FromSeconds(5);

    private TimeSpan _recentMin = TimeSpan.MaxValue;
    private Instant _recentAt;
    private Instant _minAt;

    /// <summary>The smallest round trip, or <see cref="TimeSpan.MaxValue"/> before the first sample.</summary>
    public TimeSpan Min { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Was it not seen for so long that the queue has to be drained to see it? True until that is done, or it is seen.</summary>
    public bool IsProbeDue { get; private set; }

    /// <summary>A sample. One as good as the smallest shows that there is no queue to drain.</summary>
    public void Add(Instant now, TimeSpan sample)
    {
        bool isOverdue = now > _recentAt + s_probeInterval && _recentMin != TimeSpan.MaxValue;
        IsProbeDue = (IsProbeDue || isOverdue) && sample - Min > Tolerance(Min);
        if (sample < _recentMin || isOverdue)
            (_recentMin, _recentAt) = (sample, now);
        else if (sample - _recentMin <= Tolerance(_recentMin))
            _recentAt = now;
        if (_recentMin < Min || now > _minAt + s_window)
            (Min, _minAt) = (_recentMin, _recentAt);
    }

    /// <summary>The queue has been drained.</summary>
    public void HandleProbed(Instant now) => (_recentAt, IsProbeDue) = (now, false);

    // spec: REC-43
    private static TimeSpan Tolerance(TimeSpan min)
    {
        TimeSpan machine = min / GranularityDivisor < RoundTripEstimator.Granularity ? min / GranularityDivisor : RoundTripEstimator.Granularity;
        return machine > min / ToleranceDivisor ? machine : min / ToleranceDivisor;
    }
}
