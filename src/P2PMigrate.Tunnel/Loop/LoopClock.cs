using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Loop;

/// <summary>The driver's monotonic clock, with the time provider's start as its origin. Any thread.</summary>
internal sealed class LoopClock(TimeProvider time)
{
    private readonly double _nanosecondsPerTick = 1e9 / time.TimestampFrequency;
    private long _lastUtc;

    /// <summary>The present.</summary>
    public Instant Now
    {
        get
        {
            long timestamp = time.GetTimestamp();
            return new Instant(time.TimestampFrequency == 1_000_000_000 ? timestamp : (long)(timestamp * _nanosecondsPerTick));
        }
    }

    /// <summary>The wall clock, for what is agreed on with others: the expiry of tickets.</summary>
    public DateTimeOffset Utc => time.GetUtcNow();

    /// <summary>The wall clock in nanoseconds since the Unix epoch; grows with every call, even within one tick. Loop only.</summary>
    public long UniqueUtcNanoseconds()
    {
        long now = (Utc - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        _lastUtc = Math.Max(now, _lastUtc + 1);
        return _lastUtc;
    }
}
