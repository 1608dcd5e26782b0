namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Decides how many bytes may be in flight on one path. Told of everything that loss recovery learns; reads no clock.
/// One owner, no allocation per packet.
/// </summary>
internal interface ICongestionController
{
    /// <summary>Bytes that may be in flight.</summary>
    long Window { get; }

    /// <summary>How fast packets may leave, in bytes per second, for a path with this smoothed round trip.</summary>
    double PacingRate(TimeSpan smoothedRoundTrip);

    /// <summary>A packet left; <paramref name="bytesInFlight"/> includes it.</summary>
    void HandleSent(Instant now, ulong packetNumber, int size, long bytesInFlight);

    /// <summary>Packets were newly acknowledged by one frame.</summary>
    void HandleAcked(Instant now, in AckedPackets acked, RoundTripEstimator roundTrip);

    /// <summary>Packets were declared lost; <paramref name="lastSentAt"/> is when the last of them left.</summary>
    void HandleLost(Instant now, Instant lastSentAt, long bytes);
}

/// <summary>What one ACK frame acknowledged for the first time.</summary>
/// <param name="Bytes">Bytes of the packets that were in flight.</param>
/// <param name="LargestNumber">The largest packet number that the frame names.</param>
/// <param name="LastSentAt">When the last of the packets left.</param>
/// <param name="WasWindowLimited">Was the window nearly full when the frame arrived? If not, it must not grow.</param>
internal readonly record struct AckedPackets(long Bytes, ulong LargestNumber, Instant LastSentAt, bool WasWindowLimited);
