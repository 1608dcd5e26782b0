using System.Globalization;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>What every inode has, whatever it is.</summary>
/// <param name="Mode">The low 12 bits of <c>st_mode</c>: permissions, set-user-id, set-group-id, sticky.</param>
/// <param name="Uid">Owner, as the number on the disk.</param>
/// <param name="Gid">Group, as the number on the disk.</param>
/// <param name="ModifiedAt">When its content was last modified.</param>
/// <param name="Xattrs">All extended attributes, of every namespace.</param>
public sealed record InodeAttributes(uint Mode, uint Uid, uint Gid, UnixTime ModifiedAt, XattrSet Xattrs)
{
    /// <summary>The bits of <see cref="Mode"/> that may be set.</summary>
    public const uint ModeMask = 0xFFF;
}

/// <summary>A moment as file systems keep it: seconds since 1970 (negative before) and nanoseconds below a second.</summary>
/// <param name="Seconds">Whole seconds, rounded towards the past.</param>
/// <param name="Nanoseconds">0 to 999 999 999.</param>
public readonly record struct UnixTime(long Seconds, uint Nanoseconds) : IComparable<UnixTime>
{
    /// <summary>Nanoseconds in a second.</summary>
    public const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The moment <paramref name="time"/>.</summary>
    public static UnixTime From(DateTimeOffset time) =>
        new(time.ToUnixTimeSeconds(), (uint)(time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick));

    /// <summary>The moment <paramref name="span"/> before <paramref name="time"/>.</summary>
    public static UnixTime operator -(UnixTime time, TimeSpan span)
    {
        (long seconds, long nanoseconds) =
            Math.DivRem(time.Nanoseconds - (span.Ticks * TimeSpan.NanosecondsPerTick), NanosecondsPerSecond);
        return nanoseconds < 0
            ? new(time.Seconds + seconds - 1, (uint)(nanoseconds + NanosecondsPerSecond))
            : new(time.Seconds + seconds, (uint)nanoseconds);
    }

    /// <inheritdoc/>
    public int CompareTo(UnixTime other)
    {
        int seconds = Seconds.CompareTo(other.Seconds);
        return seconds != 0 ? seconds : Nanoseconds.CompareTo(other.Nanoseconds);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Seconds}.{Nanoseconds:D9}");

    /// <summary>Earlier?</summary>
    public static bool operator <(UnixTime left, UnixTime right) => left.CompareTo(right) < 0;

    /// <summary>Later?</summary>
    public static bool operator >(UnixTime left, UnixTime right) => left.CompareTo(right) > 0;

    /// <summary>Not later?</summary>
    public static bool operator <=(UnixTime left, UnixTime right) => left.CompareTo(right) <= 0;

    /// <summary>Not earlier?</summary>
    public static bool operator >=(UnixTime left, UnixTime right) => left.CompareTo(right) >= 0;
}
