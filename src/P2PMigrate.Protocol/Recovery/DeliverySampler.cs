namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Measures how fast a path delivers: each packet remembers how much had been delivered when it left, and its
/// acknowledgement tells how much was delivered since, and in what time. Knows whether the application kept the path busy.
/// One owner.
/// </summary>
// spec: REC-40
internal sealed class DeliverySampler
{
    private long _delivered;
    private long _lost;
    private Instant _deliveredAt;
    private Instant _firstSentAt;
    private long _applicationLimitedUntil;
    private ulong _newestNumber;
    private Instant _newestSentAt;
    private DeliveryMark _newest;
    private bool _hasNewest;

    /// <summary>Bytes delivered so far.</summary>
    public long Delivered => _delivered;

    /// <summary>Bytes lost so far.</summary>
    public long Lost => _lost;

    /// <summary>Did the application leave a gap that has not passed through the path yet?</summary>
    public bool IsApplicationLimited => _applicationLimitedUntil > 0;

    /// <summary>There is room on the path and nothing to send.</summary>
    public void MarkApplicationLimited(long inFlight) => _applicationLimitedUntil = Math.Max(_delivered + inFlight, 1);

    /// <summary>A packet leaves, with so many bytes in flight before it.</summary>
    public DeliveryMark HandleSent(Instant now, int size, long inFlight)
    {
        if (inFlight == 0)
            _firstSentAt = _deliveredAt = now;
        return new(_delivered, _lost, _deliveredAt, _firstSentAt, (int)inFlight + size, IsApplicationLimited);
    }

    /// <summary>A packet that was in flight is acknowledged.</summary>
    public void HandleAcked(Instant now, ulong number, in SentPacket packet)
    {
        _delivered += packet.Size;
        _deliveredAt = now;
        if (_hasNewest && (packet.SentAt < _newestSentAt || number < _newestNumber))
            return;
        _hasNewest = true;
        (_newestNumber, _newestSentAt, _newest) = (number, packet.SentAt, packet.Mark);
    }

    /// <summary>A packet is declared lost.</summary>
    public void HandleLost(int size) => _lost += size;

    /// <summary>A packet that was declared lost is acknowledged.</summary>
    public void HandleSpuriouslyLost(int size)
    {
        _lost -= size;
        _delivered += size;
    }

    /// <summary>All packets of a frame were taken in: what the newest of them tells. Starts anew.</summary>
    public DeliverySample Take(Instant now, TimeSpan minRoundTrip)
    {
        if (_delivered > _applicationLimitedUntil)
            _applicationLimitedUntil = 0;
        if (!_hasNewest)
            return default;
        _hasNewest = false;
        _firstSentAt = _newestSentAt;
        TimeSpan sending = _newestSentAt - _newest.FirstSentAt;
        TimeSpan delivering = now - _newest.DeliveredAt;
        TimeSpan interval = sending > delivering ? sending : delivering;
        long delivered = _delivered - _newest.Delivered;
        bool isReliable = interval >= minRoundTrip && interval > TimeSpan.Zero;
        return new()
        {
            Rate = isReliable ? delivered / interval.TotalSeconds : 0,
            Delivered = delivered,
            DeliveredBefore = _newest.Delivered,
            Lost = Math.Max(0, _lost - _newest.Lost),
            InFlightAtSending = _newest.InFlight,
            IsApplicationLimited = _newest.IsApplicationLimited,
            RoundTrip = now - _newestSentAt,
            TotalDelivered = _delivered,
            TotalLost = _lost,
        };
    }
}

/// <summary>What was known of the path when a packet left.</summary>
/// <param name="Delivered">Bytes delivered so far.</param>
/// <param name="Lost">Bytes lost so far.</param>
/// <param name="DeliveredAt">When something was last delivered, or the path began to be used.</param>
/// <param name="FirstSentAt">When the packet left that was last delivered, or the path began to be used.</param>
/// <param name="InFlight">Bytes in flight, the packet included.</param>
/// <param name="IsApplicationLimited">Had the application left a gap?</param>
internal readonly record struct DeliveryMark(long Delivered, long Lost, Instant DeliveredAt, Instant FirstSentAt, int InFlight, bool IsApplicationLimited);

/// <summary>What the newest packet that a frame acknowledges tells about the path since that packet left.</summary>
internal readonly record struct DeliverySample
{
    /// <summary>Bytes per second, or 0 when the time was too short to tell.</summary>
    public double Rate { get; init; }

    /// <summary>Bytes delivered.</summary>
    public long Delivered { get; init; }

    /// <summary>Bytes that had been delivered when the packet left.</summary>
    public long DeliveredBefore { get; init; }

    /// <summary>Bytes declared lost.</summary>
    public long Lost { get; init; }

    /// <summary>Bytes in flight when the packet left, it included.</summary>
    public long InFlightAtSending { get; init; }

    /// <summary>May the rate be low because the application had nothing to send?</summary>
    public bool IsApplicationLimited { get; init; }

    /// <summary>From sending the packet to this acknowledgement; zero when there is no sample.</summary>
    public TimeSpan RoundTrip { get; init; }

    /// <summary>Bytes delivered on the path so far.</summary>
    public long TotalDelivered { get; init; }

    /// <summary>Bytes lost on the path so far.</summary>
    public long TotalLost { get; init; }
}
