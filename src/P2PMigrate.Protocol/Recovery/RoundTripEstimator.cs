namespace P2PMigrate.Protocol.Recovery;

/// <summary>The round-trip time of one path, as RFC 9002 section 5 estimates it. One owner.</summary>
// spec: REC-01
internal sealed class RoundTripEstimator
{
    /// <summary>The timer granularity: no timeout is tuned finer than this.</summary>
    // spec: CONST-73
    public static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(1);

    /// <summary>What was measured so long ago says nothing about the path any more.</summary>
    // spec: REC-02, CONST-184
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(3);

    private Instant _measuredAt;

    /// <summary>Starts with an assumption that the first sample replaces.</summary>
    public RoundTripEstimator(TimeSpan initial)
    {
        Latest = Min = Smoothed = initial;
        Variation = initial / 2;
    }

    /// <summary>Has anything been measured?</summary>
    public bool HasSample { get; private set; }

    /// <summary>The last sample.</summary>
    public TimeSpan Latest { get; private set; }

    /// <summary>The smallest sample.</summary>
    public TimeSpan Min { get; private set; }

    /// <summary>The moving average.</summary>
    public TimeSpan Smoothed { get; private set; }

    /// <summary>The mean deviation.</summary>
    public TimeSpan Variation { get; private set; }

    /// <summary>How long an answer may take before its absence means something.</summary>
    public TimeSpan Timeout => Smoothed + Max(Variation * 4, Granularity);

    /// <summary>
    /// Takes a sample; <paramref name="delay"/> is how long the peer kept its answer, as far as it may. After a long time
    /// without any the estimate begins anew.
    /// </summary>
    // spec: REC-02
    public void Add(Instant now, TimeSpan sample, TimeSpan delay)
    {
        HasSample &= now - _measuredAt < Memory;
        _measuredAt = now;
        sample = Max(sample, TimeSpan.FromTicks(1));
        Latest = sample;
        Min = HasSample && Min < sample ? Min : sample;
        TimeSpan adjusted = sample - Min >= delay ? sample - delay : sample;
        if (!HasSample)
        {
            HasSample = true;
            Smoothed = adjusted;
            Variation = adjusted / 2;
            return;
        }

        Variation = (Variation * 3 + (Smoothed - adjusted).Duration()) / 4;
        Smoothed = (Smoothed * 7 + adjusted) / 8;
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
