namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Notices, by the round trips, that a queue stands on the path, and says how much slower than thought the path is to be
/// used. What is measured of a rate is somewhat too much where acknowledgements or threads come irregularly, and sending
/// at too high a rate for long fills any queue. One owner.
/// </summary>
// spec: REC-44, REC-45
internal sealed class BbrQueue
{
    // spec: CONST-162
    private const double Slope = 0.5;
    private const double MaxRestraint = 0.1;
    private const int StandingDivisor = 8;
    private const int StandingSamples = 3;

    private readonly TimeSpan[] _latest = new TimeSpan[StandingSamples];
    private uint _samples;
    private TimeSpan _roundMin = TimeSpan.MaxValue;

    /// <summary>What to multiply the rate with: 1 without a queue, 0.9 at least.</summary>
    public double Restraint { get; private set; } = 1;

    /// <summary>Do the latest samples, all of them, show that a queue stands? One alone may have been waiting for a thread.</summary>
    public bool IsStanding(TimeSpan min)
    {
        TimeSpan share = min / StandingDivisor;
        TimeSpan limit = min + (share > RoundTripEstimator.Granularity ? share : RoundTripEstimator.Granularity);
        foreach (TimeSpan sample in _latest)
        {
            if (sample <= limit)
                return false;
        }

        return true;
    }

    /// <summary>A sample.</summary>
    public void Add(TimeSpan roundTrip)
    {
        if (roundTrip <= TimeSpan.Zero)
            return;
        _latest[_samples++ % _latest.Length] = roundTrip;
        if (roundTrip < _roundMin)
            _roundMin = roundTrip;
    }

    /// <summary>A round is over. <paramref name="min"/> is the round trip of the path without queues.</summary>
    public void HandleRound(TimeSpan min)
    {
        Restraint = 1;
        if (_roundMin != TimeSpan.MaxValue && min < _roundMin)
        {
            TimeSpan queue = _roundMin - min - RoundTripEstimator.Granularity; // So much is the machine's own.
            Restraint = 1 - Math.Clamp(Slope * (queue / min), 0, MaxRestraint);
        }

        _roundMin = TimeSpan.MaxValue;
    }
}
