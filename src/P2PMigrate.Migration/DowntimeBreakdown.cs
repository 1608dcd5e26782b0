namespace P2PMigrate.Migration;

/// <summary>Where the downtime went, in the order in which it happened. The parts add up to it.</summary>
// spec: MIG-70
public sealed record DowntimeBreakdown
{
    /// <summary>Off the network and stopped.</summary>
    public TimeSpan Freeze { get; init; }

    /// <summary>CRIU's dump, memory transfer included.</summary>
    public TimeSpan Dump { get; init; }

    /// <summary>Images and the last delta of the root file system, until they were at the target.</summary>
    public TimeSpan Transfer { get; init; }

    /// <summary>The last delta written into the target's root file system.</summary>
    public TimeSpan Apply { get; init; }

    /// <summary>Every file the dump refers to compared.</summary>
    public TimeSpan Verify { get; init; }

    /// <summary>CRIU's restore up to before the first instruction.</summary>
    public TimeSpan Restore { get; init; }

    /// <summary>The wait for the target's disk that was left when the restore was done.</summary>
    public TimeSpan Flush { get; init; }

    /// <summary>The commit record, until it was on the source's disk.</summary>
    public TimeSpan Commit { get; init; }

    /// <summary>From the commit heard at the target until the container ran.</summary>
    public TimeSpan Release { get; init; }

    /// <summary>What remains: the travel of messages, the target's journal, the lease.</summary>
    public TimeSpan Other { get; init; }

    /// <summary>All parts together.</summary>
    public TimeSpan Sum => Freeze + Dump + Transfer + Apply + Verify + Restore + Flush + Commit + Release + Other;
}
