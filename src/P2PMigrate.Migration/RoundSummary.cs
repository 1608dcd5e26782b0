namespace P2PMigrate.Migration;

/// <summary>What a live round was like, and what is expected of the switchover after it.</summary>
/// <param name="Round">The round, from 0.</param>
/// <param name="RootfsBytes">Content of the root file system that the target lacked.</param>
/// <param name="MemoryBytes">Memory that was there; 0 when none was read.</param>
/// <param name="NewBytes">Memory that the target lacked and was sent, before compression.</param>
/// <param name="WireBytes">The same as it was given to the tunnel.</param>
/// <param name="Elapsed">What the pass over memory took, until the target had it.</param>
/// <param name="DirtyBytesPerSecond">Memory that changes; null in the first round.</param>
/// <param name="ExpectedBytes">Memory that is expected to be sent under the freeze, if that began now; null when nobody knows.</param>
/// <param name="PredictedDowntime">The downtime, if the freeze began now; null when nobody knows.</param>
/// <param name="DowntimeTarget">What the user wants.</param>
/// <param name="End">Why this was the last round, or <see cref="RoundsEnd.None"/>.</param>
public sealed record RoundSummary(
    int Round, long RootfsBytes, long MemoryBytes, long NewBytes, long WireBytes, TimeSpan Elapsed, double? DirtyBytesPerSecond,
    long? ExpectedBytes, TimeSpan? PredictedDowntime, TimeSpan DowntimeTarget, RoundsEnd End)
{
    /// <summary>
    /// Until the container runs at the target: what the last pass took, unless this round was the last, and the predicted downtime. What further rounds would take nobody knows.
    /// </summary>
    public TimeSpan? Remaining => PredictedDowntime is { } downtime ? downtime + (End == RoundsEnd.None ? Elapsed : TimeSpan.Zero) : null;
}

/// <summary>Why the live rounds ended.</summary>
public enum RoundsEnd
{
    /// <summary>They go on.</summary>
    None,

    /// <summary>The root file system has converged, and memory is not copied in rounds.</summary>
    FilesConverged,

    /// <summary>The predicted downtime is no longer than wanted.</summary>
    TargetMet,

    /// <summary>The predicted downtime does not get shorter any more.</summary>
    NotImproving,

    /// <summary>Memory changes at least as fast as it can be sent.</summary>
    DirtierThanLink,

    /// <summary>The target has no room for more memory ahead of the freeze.</summary>
    NoRoom,

    /// <summary>There were as many rounds as are allowed.</summary>
    RoundLimit,
}
