using System.Diagnostics;

namespace P2PMigrate.Agent.Speed;

/// <summary>Counts the bytes of all streams of a test together. Safe for use from several threads.</summary>
// spec: SPD-05
internal sealed class SpeedMeter(TimeSpan skip)
{
    private readonly Lock _counting = new();
    private long _first;
    private long _last;
    private long _received;
    private long _measured;

    /// <summary>What has been counted.</summary>
    public SpeedCount Result
    {
        get
        {
            lock (_counting)
            {
                TimeSpan time = _received == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_first, _last) - skip;
                return new SpeedCount(_received, _measured, time > TimeSpan.Zero ? time : TimeSpan.Zero);
            }
        }
    }

    /// <summary>Bytes came just now.</summary>
    public void Count(long bytes)
    {
        if (bytes == 0)
            return;
        long now = Stopwatch.GetTimestamp();
        lock (_counting)
        {
            // The first bytes came in no time at all: they start the clock and are not measured by it.
            bool isMeasured = _received > 0 && Stopwatch.GetElapsedTime(_first, now) > skip;
            if (_received == 0)
                _first = now;
            _last = now;
            _received += bytes;
            if (isMeasured)
                _measured += bytes;
        }
    }
}
