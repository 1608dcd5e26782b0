namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// How long a packet may be overtaken by others before it counts as lost: a distance in packet numbers, as long as the path
/// was not seen to reorder, and a time, which grows when a loss turns out to have been none. Both return to their
/// beginnings when nothing was reordered for long. One owner.
/// </summary>
// spec: REC-11, REC-12
internal sealed class ReorderingTolerance
{
    // spec: CONST-74
    private const int FirstDistance = 3;
    private const int MinEighths = 9;
    private const int MaxEighths = 16;
    private const int CalmEpisodes = 16;

    private int _eighths = MinEighths;
    private int _calmEpisodes;

    /// <summary>A packet is lost when one that is so much larger in number was acknowledged.</summary>
    public int Distance { get; private set; } = FirstDistance;

    /// <summary>A packet is lost when so much time has passed since it left, and a later one was acknowledged.</summary>
    public TimeSpan Delay(RoundTripEstimator roundTrip)
    {
        TimeSpan longest = roundTrip.Latest > roundTrip.Smoothed ? roundTrip.Latest : roundTrip.Smoothed;
        TimeSpan delay = longest * _eighths / 8;
        return delay > RoundTripEstimator.Granularity ? delay : RoundTripEstimator.Granularity;
    }

    /// <summary>A packet arrived after one with a larger number: from now on only time tells.</summary>
    public void HandleReordered()
    {
        _calmEpisodes = 0;
        Distance = SentPacketRing.MaxCapacity;
    }

    /// <summary>A packet arrived that had been declared lost.</summary>
    public void HandleSpuriousLoss()
    {
        HandleReordered();
        _eighths = Math.Min(_eighths + 1, MaxEighths);
    }

    /// <summary>Packets were lost, for the first time in a round trip.</summary>
    public void HandleLossEpisode()
    {
        if (++_calmEpisodes < CalmEpisodes)
            return;
        _calmEpisodes = 0;
        _eighths = MinEighths;
        Distance = FirstDistance;
    }
}
