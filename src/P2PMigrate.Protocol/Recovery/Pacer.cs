namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Spreads packets over the round trip: a bucket that fills at the pacing rate. Packets leave until it is empty; then none
/// does before a whole quantum has come together, so that the driver gets batches and not single packets. What a late
/// driver misses is made up for, up to one more quantum. One owner.
/// </summary>
// spec: REC-32
internal sealed class Pacer(int datagramSize)
{
    private const int InitialDatagrams = 10;

    private double _tokens = InitialDatagrams * (double)datagramSize;
    private Instant _filledAt;

    /// <summary>When the next packet may leave at this rate; in the past or now when it may leave at once.</summary>
    public Instant NextRelease(double bytesPerSecond, int quantum) =>
        _tokens > 0 ? _filledAt : _filledAt + TimeSpan.FromSeconds((quantum - _tokens) / bytesPerSecond);

    /// <summary>A packet left.</summary>
    public void HandleSent(Instant now, int size, double bytesPerSecond, int quantum)
    {
        double earned = bytesPerSecond * (now - _filledAt).TotalSeconds;
        double limit = Math.Max(2 * quantum, Math.Min(_tokens, InitialDatagrams * (double)datagramSize));
        _tokens = Math.Min(limit, _tokens + earned) - size;
        _filledAt = now;
    }
}
