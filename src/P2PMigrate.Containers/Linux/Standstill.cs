using System.Diagnostics;

namespace P2PMigrate.Containers.Linux;

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
    private readonly FrozenTime? _frozen;
    private readonly long _used;

    private Standstill(Cgroup cgroup) => (_cgroup, _used, _frozen) = (cgroup, cgroup.UsedMicroseconds, cgroup.FrozenSoFar);

    /// <summary>The first look.</summary>
    public static Standstill Begin(Cgroup cgroup) => new(cgroup);

    /// <summary>Is it frozen, and was it all the time? Whatever holds up this program while it looks makes the answer no less exact: it looks again.</summary>
    public bool HasHeld()
    {
        if (!_cgroup.IsFrozen) return false;
        return _frozen is { } before && _cgroup.FrozenSoFar is { } now
            ? now.Microseconds - before.Microseconds + Slack >= (long)Stopwatch.GetElapsedTime(before.To, now.From).TotalMicroseconds
            : _cgroup.UsedMicroseconds - _used <= StirMax;
    }
}
