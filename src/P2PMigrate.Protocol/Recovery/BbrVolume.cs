namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// The most bytes in flight that the path was seen to take without losing too much, over several cycles of probing
/// (<c>inflight_longterm</c>). Infinite until a probe went too high. One owner.
/// </summary>
internal sealed class BbrVolume
{
    private const double HeadroomShare = 0.15;
    private const int MaxGrowthRounds = 30;

    private double _acked;
    private double _ackedPerDatagram = double.PositiveInfinity;
    private int _rounds;

    /// <summary>The bound.</summary>
    public double Bound { get; set; } = double.PositiveInfinity;

    /// <summary>Is there one?</summary>
    public bool IsKnown => !double.IsPositiveInfinity(Bound);

    /// <summary>For so many round trips a probe goes on while a queue stands: what it carries raises a bound that losses have set.</summary>
    // spec: REC-44
    public int RoundsInQueue => IsKnown ? 2 : 1;

    /// <summary>The bound with some room left for others.</summary>
    public double WithHeadroom(int datagramSize, double min) =>
        IsKnown ? Math.Max(Bound - Math.Max(datagramSize, HeadroomShare * Bound), min) : Bound;

    /// <summary>Bytes were in flight, and that went well.</summary>
    public void HandleCarried(long inFlight)
    {
        if (IsKnown)
            Bound = Math.Max(Bound, inFlight);
    }

    /// <summary>Another probe is being prepared: growth begins with one datagram a round trip.</summary>
    public void PrepareGrowth() => (_rounds, _acked) = (0, 0);

    /// <summary>A round trip of probing begins: growth is twice that of the last one.</summary>
    public void RaiseSlope(double window, int datagramSize)
    {
        _ackedPerDatagram = Math.Max(window / (1L << _rounds), datagramSize);
        _rounds = Math.Min(_rounds + 1, MaxGrowthRounds);
    }

    /// <summary>No probing.</summary>
    public void StopGrowth() => _ackedPerDatagram = double.PositiveInfinity;

    /// <summary>Bytes were acknowledged while the bound held the probe back.</summary>
    public void Grow(long acked, int datagramSize)
    {
        _acked += acked;
        if (_acked < _ackedPerDatagram)
            return;
        double steps = Math.Floor(_acked / _ackedPerDatagram);
        _acked -= steps * _ackedPerDatagram;
        Bound += steps * datagramSize;
    }
}
