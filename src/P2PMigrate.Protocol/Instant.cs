namespace P2PMigrate.Protocol;

/// <summary>
/// A point on the driver's monotonic clock, in nanoseconds since an origin that the driver chose. The protocol never
/// reads a clock: every method that needs the time takes <c>now</c> as an argument, and time never runs backwards.
/// </summary>
public readonly record struct Instant(long Nanoseconds) : IComparable<Instant>
{
    /// <summary>Later than any instant a driver passes in: "no deadline".</summary>
    public static readonly Instant Never = new(long.MaxValue);

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Nanoseconds.CompareTo(other.Nanoseconds);

    /// <summary>The earlier of two instants.</summary>
    public static Instant Min(Instant left, Instant right) => left <= right ? left : right;

    /// <summary>The later of two instants.</summary>
    public static Instant Max(Instant left, Instant right) => left >= right ? left : right;

    /// <summary>The instant <paramref name="span"/> after <paramref name="instant"/>; saturates at <see cref="Never"/>.</summary>
    public static Instant operator +(Instant instant, TimeSpan span)
    {
        long nanoseconds = span.Ticks * TimeSpan.NanosecondsPerTick;
        return nanoseconds > Never.Nanoseconds - instant.Nanoseconds ? Never : new(instant.Nanoseconds + nanoseconds);
    }

    /// <summary>The instant <paramref name="span"/> before <paramref name="instant"/>.</summary>
    public static Instant operator -(Instant instant, TimeSpan span) => new(instant.Nanoseconds - span.Ticks * TimeSpan.NanosecondsPerTick);

    /// <summary>The time from <paramref name="right"/> to <paramref name="left"/>, in units of 100 ns.</summary>
    public static TimeSpan operator -(Instant left, Instant right) =>
        new((left.Nanoseconds - right.Nanoseconds) / TimeSpan.NanosecondsPerTick);

    /// <summary>Is <paramref name="left"/> earlier?</summary>
    public static bool operator <(Instant left, Instant right) => left.Nanoseconds < right.Nanoseconds;

    /// <summary>Is <paramref name="left"/> later?</summary>
    public static bool operator >(Instant left, Instant right) => left.Nanoseconds > right.Nanoseconds;

    /// <summary>Is <paramref name="left"/> not later?</summary>
    public static bool operator <=(Instant left, Instant right) => left.Nanoseconds <= right.Nanoseconds;

    /// <summary>Is <paramref name="left"/> not earlier?</summary>
    public static bool operator >=(Instant left, Instant right) => left.Nanoseconds >= right.Nanoseconds;
}
