namespace P2PMigrate.Protocol.Recovery;

/// <summary>The largest delivery rate of this cycle of bandwidth probing and the one before. One owner.</summary>
internal sealed class BbrBandwidth
{
    private double _previousCycle;
    private double _thisCycle;

    /// <summary>Bytes per second; 0 before the first sample.</summary>
    public double Max => Math.Max(_previousCycle, _thisCycle);

    /// <summary>A sample. One that the application held down counts only when it is the largest all the same.</summary>
    public void Add(in DeliverySample sample)
    {
        if (sample.Rate >= Max || !sample.IsApplicationLimited)
            _thisCycle = Math.Max(_thisCycle, sample.Rate);
    }

    /// <summary>Another cycle begins.</summary>
    public void Advance()
    {
        if (_thisCycle <= 0)
            return; // A cycle without a sample is no reason to forget the last one.
        (_previousCycle, _thisCycle) = (_thisCycle, 0);
    }
}
