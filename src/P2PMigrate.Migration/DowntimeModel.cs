using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration;

/// <summary>
/// What a switchover costs beside the content that must be sent: begins with what is usual, and learns from each migration that this process
/// completes. Safe for use from several threads.
/// </summary>
// spec: MIG-83
public sealed class DowntimeModel
{
    /// <summary>Freeze, CRIU's own work at both ends, images, verification, commit, for a small container.</summary>
    public static readonly TimeSpan DefaultFixed = TimeSpan.FromMilliseconds(450);

    /// <summary>Dumping a page, putting it together at the target, and restoring it.</summary>
    public static readonly TimeSpan DefaultPerPage = TimeSpan.FromMicroseconds(7);

    private const double LearningRate = 0.5;

    private readonly Lock _lock = new();
    private TimeSpan _fixed = DefaultFixed;      // guarded by _lock

    /// <summary>What is expected at present.</summary>
    internal DowntimeCosts Costs
    {
        get
        {
            lock (_lock)
                return new DowntimeCosts(_fixed, DefaultPerPage);
        }
    }

    /// <summary>
    /// A migration took <paramref name="downtime"/>, of which <paramref name="sending"/> went into content that the target lacked and into waiting for its answers; it had
    /// <paramref name="memoryBytes"/> of memory.
    /// </summary>
    internal void Learn(TimeSpan downtime, TimeSpan sending, long memoryBytes)
    {
        TimeSpan seen = downtime - sending - (memoryBytes / PageRun.PageSize * DefaultPerPage);
        if (seen <= TimeSpan.Zero)
            return;
        lock (_lock)
            _fixed += (seen - _fixed) * LearningRate;
    }
}

/// <summary>What a switchover costs beside content that must be sent.</summary>
/// <param name="Fixed">Whatever the container's size.</param>
/// <param name="PerPage">For each page of its memory.</param>
internal readonly record struct DowntimeCosts(TimeSpan Fixed, TimeSpan PerPage);
