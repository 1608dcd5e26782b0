namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// How many packets one acknowledgement is for: about eight acknowledgements in a round trip tell a sender all it needs,
/// and each costs both sides more than a packet. One owner.
/// </summary>
// spec: REC-13
internal sealed class AckFrequency
{
    // spec: CONST-75
    private const int MinPackets = 2;
    private const int MaxPackets = 64;
    private const int AcksPerRoundTrip = 8;

    private Instant _roundStart;
    private int _received;

    /// <summary>So many packets are acknowledged at once.</summary>
    public int Packets { get; private set; } = MinPackets;

    /// <summary>A packet came that asks for an acknowledgement.</summary>
    public void HandleReceived(Instant now, RoundTripEstimator? roundTrip)
    {
        _received++;
        if (roundTrip is not { HasSample: true })
            Packets = MinPackets;
        else if (now - _roundStart >= roundTrip.Min)
        {
            Packets = Math.Clamp(_received / AcksPerRoundTrip, MinPackets, MaxPackets);
            _roundStart = now;
            _received = 0;
        }
    }

    /// <summary>How long fewer packets may wait for their acknowledgement.</summary>
    public TimeSpan Delay(TimeSpan maxDelay, RoundTripEstimator? roundTrip)
    {
        if (Packets == MinPackets || roundTrip is null)
            return maxDelay;
        TimeSpan delay = roundTrip.Min / AcksPerRoundTrip;
        delay = delay > RoundTripEstimator.Granularity ? delay : RoundTripEstimator.Granularity;
        return delay < maxDelay ? delay : maxDelay;
    }
}
