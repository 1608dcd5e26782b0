namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// How much the streams of a session keep for sending, unacknowledged bytes included: each twice the congestion window, so
/// that a stream alone fills the path while its writer is woken, and all together no more than one at its most. A few
/// bytes are always allowed, so that streams that are not read do not keep others from moving. One owner.
/// </summary>
internal sealed class SendAllowance(int max)
{
    // spec: CONST-35
    private const int MinLimit = 1 << 20;
    private const int Guarantee = 64 << 10;
    private const int CongestionWindows = 2;

    /// <summary>Bytes that one stream keeps at most.</summary>
    public int StreamLimit { get; private set; } = Math.Min(MinLimit, max);

    /// <summary>Bytes that all streams keep now.</summary>
    public long Used { get; private set; }

    /// <summary>The window of the path that carries data changed.</summary>
    public void Follow(long congestionWindow) =>
        StreamLimit = (int)Math.Min(max, Math.Max(MinLimit, congestionWindow * CongestionWindows));

    /// <summary>Bytes that a stream which keeps <paramref name="kept"/> may take now.</summary>
    public int RoomFor(int kept)
    {
        long shared = Math.Min(StreamLimit - (long)kept, max - Used);
        long guaranteed = Math.Min(Guarantee, max) - (long)kept;
        return (int)Math.Max(0, Math.Max(shared, guaranteed));
    }

    /// <summary>A stream keeps so many bytes more, or fewer.</summary>
    public void Add(int change) => Used += change;
}
