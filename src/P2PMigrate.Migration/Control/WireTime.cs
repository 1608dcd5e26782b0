namespace P2PMigrate.Migration.Control;

/// <summary>Durations as whole microseconds, as messages carry them.</summary>
internal static class WireTime
{
    private const ulong MicrosecondsMax = 86_400_000_000;

    /// <summary>For the wire.</summary>
    public static ulong ToMicroseconds(TimeSpan span) => (ulong)Math.Max(0, span.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>From the wire; more than a day counts as a day.</summary>
    public static TimeSpan FromMicroseconds(ulong microseconds) => TimeSpan.FromMicroseconds(Math.Min(microseconds, MicrosecondsMax));
}
