namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Decides how many bytes may be in flight on one path, and how fast they leave. Told of everything that loss recovery
/// learns; reads no clock. One owner, no allocation per packet. For one acknowledgement the order is: the packets that it
/// shows to be lost, then what it acknowledged.
/// </summary>
internal interface ICongestionController
{
    /// <summary>Bytes that may be in flight.</summary>
    long Window { get; }

    /// <summary>Bytes that should leave together: few enough for the queues on the way, enough for one call to the system.</summary>
    int SendQuantum { get; }

    /// <summary>
    /// Does it keep the path emptier than it could be, on purpose? What is delivered meanwhile says nothing about what the
    /// path can carry.
    /// </summary>
    bool IsHoldingBack { get; }

    /// <summary>Bytes of a full datagram on the path.</summary>
    int DatagramSize { get; set; }

    /// <summary>How fast packets may leave, in bytes per second, for a path with this smoothed round trip.</summary>
    double PacingRate(TimeSpan smoothedRoundTrip);

    /// <summary>A packet is about to leave.</summary>
    /// <param name="now">The time.</param>
    /// <param name="inFlight">Bytes in flight without it.</param>
    /// <param name="isApplicationLimited">Had the application left the path without data?</param>
    void HandleSent(Instant now, long inFlight, bool isApplicationLimited);

    /// <summary>Packets were newly acknowledged by one frame.</summary>
    void HandleAcked(Instant now, in AckedPackets acked, RoundTripEstimator roundTrip);

    /// <summary>A packet was declared lost.</summary>
    void HandleLost(Instant now, in LostPacket lost);

    /// <summary>All packets whose loss caused the last reduction have arrived after all: it was for nothing.</summary>
    void HandleSpuriousLoss(Instant now);

    /// <summary>Nothing got through for several probe timeouts: what was known of the path may not hold any more.</summary>
    void HandlePersistentCongestion(Instant now, long inFlight);
}

/// <summary>What one ACK frame acknowledged for the first time, and what it says about the path.</summary>
internal readonly record struct AckedPackets
{
    /// <summary>Bytes of the packets that were in flight.</summary>
    public required long Bytes { get; init; }

    /// <summary>When the last of the packets left.</summary>
    public required Instant LastSentAt { get; init; }

    /// <summary>Did the frame measure the round trip?</summary>
    public bool IsRoundTripSample { get; init; }

    /// <summary>Was the window full while the packets were in flight? If not, success does not mean that it may grow.</summary>
    public required bool WasWindowLimited { get; init; }

    /// <summary>Bytes in flight before the frame came.</summary>
    public long InFlightBefore { get; init; }

    /// <summary>Bytes in flight now, after acknowledgements and losses.</summary>
    public long InFlight { get; init; }

    /// <summary>How fast the path delivered.</summary>
    public DeliverySample Delivery { get; init; }
}

/// <summary>A packet that was declared lost.</summary>
/// <param name="IsNewGap">Was the packet before it on its label not the last one that was lost?</param>
/// <param name="Size">Its bytes.</param>
/// <param name="SentAt">When it left.</param>
/// <param name="Mark">What was known of the path when it left.</param>
/// <param name="TotalDelivered">Bytes delivered on the path so far.</param>
/// <param name="TotalLost">Bytes lost on the path so far, this packet included.</param>
internal readonly record struct LostPacket(bool IsNewGap, int Size, Instant SentAt, DeliveryMark Mark, long TotalDelivered, long TotalLost);
