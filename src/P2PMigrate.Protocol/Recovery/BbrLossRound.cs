namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// What the path delivered and lost in the present round trip, and the lower bounds on rate and volume that follow when it
/// lost too much outside of bandwidth probing. One owner.
/// </summary>
internal sealed class BbrLossRound
{
    private const double Beta = 0.7;

    /// <summary>A share of losses below this is not taken for congestion.</summary>
    // spec: CONST-160
    public const double LossThreshold = 0.02;

    private long _endsAt;
    private long _lostAtStart;
    private long _deliveredAtStart;
    private double _latestRate;
    private long _latestDelivered;

    /// <summary>Was something declared lost in this round?</summary>
    public bool HasLoss { get; private set; }

    /// <summary>How many separate gaps the losses of this round have torn.</summary>
    public int LossRuns { get; private set; }

    /// <summary>The most that was delivered during one round trip in this round.</summary>
    public long LatestDelivered => _latestDelivered;

    /// <summary>Bytes per second that the path may be able to carry at present; infinite without a reason to doubt.</summary>
    public double RateBound { get; private set; } = double.PositiveInfinity;

    /// <summary>Bytes in flight that the path may be able to carry at present; infinite without a reason to doubt.</summary>
    public double VolumeBound { get; private set; } = double.PositiveInfinity;

    /// <summary>Forgets the bounds.</summary>
    public void ResetBounds() => SetBounds(double.PositiveInfinity, double.PositiveInfinity);

    /// <summary>Puts bounds back to what they were, unless they are wider by now.</summary>
    public void RestoreBounds(double rate, double volume)
    {
        HasLoss = false;
        SetBounds(Math.Max(RateBound, rate), Math.Max(VolumeBound, volume));
    }

    /// <summary>Forgets what this round has shown.</summary>
    public void ResetSignals() => (HasLoss, _latestRate, _latestDelivered) = (false, 0, 0);

    /// <summary>A packet was declared lost; true when it is the first one of the round.</summary>
    public bool HandleLost(in LostPacket lost)
    {
        bool isFirst = !HasLoss;
        if (isFirst)
            _endsAt = lost.TotalDelivered;
        if (isFirst || lost.IsNewGap)
            LossRuns++;
        HasLoss = true;
        return isFirst;
    }

    /// <summary>Packets were acknowledged; true when that ends the round.</summary>
    public bool HandleAcked(in DeliverySample sample)
    {
        _latestRate = Math.Max(_latestRate, sample.Rate);
        _latestDelivered = Math.Max(_latestDelivered, sample.Delivered);
        if (sample.DeliveredBefore < _endsAt)
            return false;
        _endsAt = sample.TotalDelivered;
        return true;
    }

    /// <summary>The round is over: tightens the bounds if it lost too much, and begins the next one.</summary>
    public void Adapt(in DeliverySample sample, bool isProbing, double bandwidth, long window)
    {
        long lost = sample.TotalLost - _lostAtStart;
        long all = lost + sample.TotalDelivered - _deliveredAtStart;
        if (HasLoss && !isProbing && lost > all * LossThreshold)
        {
            double rate = double.IsPositiveInfinity(RateBound) ? bandwidth : RateBound;
            double volume = double.IsPositiveInfinity(VolumeBound) ? window : VolumeBound;
            SetBounds(Math.Max(_latestRate, Beta * rate), Math.Max(_latestDelivered, Beta * volume));
        }

        HasLoss = false;
        LossRuns = 0;
        (_lostAtStart, _deliveredAtStart) = (sample.TotalLost, sample.TotalDelivered);
    }

    /// <summary>After everything that the last sample of a round decides: the next round begins with it.</summary>
    public void Advance(in DeliverySample sample) => (_latestRate, _latestDelivered) = (sample.Rate, sample.Delivered);

    private void SetBounds(double rate, double volume) => (RateBound, VolumeBound) = (rate, volume);
}
