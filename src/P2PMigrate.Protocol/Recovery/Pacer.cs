namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Spreads packets over the round trip: a bucket that fills at the pacing rate. Packets leave until it is empty; then none
/// does before a whole quantum has come together, so that the driver gets batches and not single packets. What a driver
/// that wakes up late has missed is made up for; what an application leaves unused is not, but for one more quantum. One
/// owner.
/// </summary>
// spec: REC-32
internal sealed class Pacer(int datagramSize)
{
    private const int InitialDatagrams = 10;

    // A busy machine lets a thread wait for so long. What it missed did not stand in any queue meanwhile.
    // spec: CONST-161
    private const double MaxLatenessSeconds = 0.025;

    private double _tokens = InitialDatagrams * (double)datagramSize;
    private Instant _filledAt;
    private bool _isAwaited;

    /// <summary>
    /// When the next packet may leave at this rate; in the past or now when it may leave at once. One that is
    /// <paramref name="isUrgent"/> does not wait for the quantum: up to one of them leaves on credit.
    /// </summary>
    public Instant NextRelease(in Pace pace, bool isUrgent = false) =>
        _tokens > (isUrgent ? -pace.Quantum : 0) ? _filledAt : _filledAt + TimeSpan.FromSeconds((pace.Quantum - _tokens) / pace.BytesPerSecond);

    /// <summary>There is a packet that would leave if the bucket let it.</summary>
    public void HandleAwaited() => _isAwaited = true;

    /// <summary>A packet left.</summary>
    public void HandleSent(Instant now, int size, in Pace pace)
    {
        double earned = pace.BytesPerSecond * (now - _filledAt).TotalSeconds;
        double kept = Math.Max(2 * pace.Quantum, Math.Min(_tokens, InitialDatagrams * (double)datagramSize));
        double limit = _isAwaited ? Math.Max(kept, pace.BytesPerSecond * MaxLatenessSeconds) : Math.Max(kept, _tokens);
        _isAwaited = false;
        _tokens = Math.Min(limit, _tokens + earned) - size;
        _filledAt = now;
    }
}

/// <summary>How fast packets leave: a rate, and the bytes that leave together.</summary>
internal readonly record struct Pace(double BytesPerSecond, int Quantum);
