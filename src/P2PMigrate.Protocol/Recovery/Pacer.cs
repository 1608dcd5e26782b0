namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Spreads packets over the round trip: a bucket that fills at the pacing rate and holds a short burst. Packets may leave
/// while it is not overdrawn; otherwise <see cref="NextRelease"/> is the deadline to wait for. One owner.
/// </summary>
// spec: REC-32
internal sealed class Pacer(int datagramSize)
{
    private const int MinBurstDatagrams = 10;
    private const int MaxBurstBytes = 64 << 10;
    private const double BurstSeconds = 0.002;

    private double _tokens = MinBurstDatagrams * (double)datagramSize;
    private Instant _filledAt;

    /// <summary>When the next packet may leave; in the past or now when it may leave at once.</summary>
    public Instant NextRelease { get; private set; }

    /// <summary>A packet left.</summary>
    public void HandleSent(Instant now, int size, double bytesPerSecond)
    {
        double burst = Math.Clamp(bytesPerSecond * BurstSeconds, MinBurstDatagrams * (double)datagramSize, MaxBurstBytes);
        double earned = bytesPerSecond * (now - _filledAt).TotalSeconds;
        _tokens = Math.Min(burst, _tokens + earned) - size;
        _filledAt = now;
        NextRelease = _tokens >= 0 ? now : now + TimeSpan.FromSeconds((datagramSize - _tokens) / bytesPerSecond);
    }
}
