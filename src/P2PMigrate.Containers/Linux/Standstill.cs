using System.Diagnostics;

namespace P2PMigrate.Containers.Linux;

/// <summary>What a cgroup was like at a first look, by clocks that go on for the whole of a boot.</summary>
internal sealed record StandstillMark
{
    /// <summary>For how long it had been frozen; null where the kernel does not count it.</summary>
    public required FrozenTime? Frozen { get; init; }

    /// <summary>Processor time of its processes, in microseconds.</summary>
    public required long Used { get; init; }
}

/// <summary>
/// Tells whether a frozen cgroup has stood still since a first look. To look whether it is frozen is not enough: somebody may have thawed it and frozen it again meanwhile. A kernel that
/// counts the time of being frozen tells exactly; an older one tells by the processor time of its processes, of which a frozen one needs a little for each signal that comes for it.
/// </summary>
// spec: MIG-151
internal sealed class Standstill
{
    private const long Slack = 50;        // CONST-410: microseconds; a thaw and a freeze by two writes in a row are more
    private const long StirMax = 500;     // CONST-410: microseconds; a signal takes about 20

    private readonly Cgroup _cgroup;

    private Standstill(Cgroup cgroup, StandstillMark mark) => (_cgroup, Mark) = (cgroup, mark);

    /// <summary>What the first look has shown, for a later process of ours.</summary>
    public StandstillMark Mark { get; }

    /// <summary>The first look.</summary>
    public static Standstill Begin(Cgroup cgroup) => new(cgroup, new StandstillMark { Used = cgroup.UsedMicroseconds, Frozen = cgroup.FrozenSoFar });

    /// <summary>A first look that was taken before, in this boot.</summary>
    public static Standstill Since(StandstillMark mark, Cgroup cgroup) => new(cgroup, mark);

    /// <summary>Is it frozen, and was it all the time? Whatever holds up this program while it looks makes the answer no less exact: it looks again.</summary>
    public bool HasHeld()
    {
        if (!_cgroup.IsFrozen) return false;
        return Mark.Frozen is { } before && _cgroup.FrozenSoFar is { } now
            ? now.Microseconds - before.Microseconds + Slack >= (long)Stopwatch.GetElapsedTime(before.To, now.From).TotalMicroseconds
            : _cgroup.UsedMicroseconds - Mark.Used <= StirMax;
    }
}
