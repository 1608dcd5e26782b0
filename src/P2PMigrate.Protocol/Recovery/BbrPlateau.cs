namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Notices that sending faster does not deliver faster: three rounds, not held down by the application, in which the rate
/// grew by less than a quarter. One owner.
/// </summary>
internal sealed class BbrPlateau
{
    private const double Growth = 1.25;
    private const int RoundsNeeded = 3;

    private double _baseline;

    /// <summary>Has the rate stopped growing since the last <see cref="Reset"/>?</summary>
    public bool IsReached { get; private set; }

    /// <summary>Rounds without growth so far.</summary>
    public int Rounds { get; private set; }

    /// <summary>Begins to look for it, from this rate on.</summary>
    public void Reset(double baseline = 0) => (_baseline, Rounds, IsReached) = (baseline, 0, false);

    /// <summary>A round is over.</summary>
    public void HandleRound(in DeliverySample sample)
    {
        if (IsReached || sample.IsApplicationLimited)
            return;
        if (sample.Rate >= _baseline * Growth)
            Reset(sample.Rate);
        else
            IsReached = ++Rounds >= RoundsNeeded;
    }
}
