using System.Globalization;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Do the two machines show the same time of day? Nothing here counts by it, but programs in the container may.</summary>
// spec: MIG-185
internal static class ClockCheck
{
    /// <summary>What clocks that are kept, and a proposal's way, do not come to.</summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromSeconds(5);

    /// <summary>One finding about a proposal that has arrived at <paramref name="now"/>; none when the source does not tell its time.</summary>
    public static IEnumerable<Finding> FindingsOn(Propose proposal, DateTimeOffset now)
    {
        if (proposal.MadeAt is not { } source)
            yield break;
        TimeSpan skew = now - source;
        yield return skew.Duration() <= SkewMax
            ? new Finding(FindingSeverity.Good, "clock", $"The target's clock and the source's are no more than {InWords(SkewMax)} apart.")
            : new Finding(
                FindingSeverity.Warning, "clock",
                $"The target's clock is {InWords(skew.Duration())} {(skew > TimeSpan.Zero ? "ahead of" : "behind")} the source's; the container will see the time of day jump, and timers that are set to a time of day will be off by that.",
                "Set the clock that is wrong, such as with: timedatectl set-ntp true");
    }

    private static string InWords(TimeSpan time)
    {
        (double count, string unit) = time switch
        {
            { TotalMinutes: < 2 } => (time.TotalSeconds, "s"),
            { TotalHours: < 2 } => (time.TotalMinutes, "min"),
            { TotalDays: < 2 } => (time.TotalHours, "h"),
            _ => (time.TotalDays, "days"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{count:0} {unit}");
    }
}
