using static P2PMigrate.Migration.Machines.SourceEvent;
using static P2PMigrate.Migration.Machines.SourceState;

namespace P2PMigrate.Migration.Machines;

/// <summary>The table of chapter 11, section 3.1. From <see cref="Committed"/> no row leads to <see cref="RollingBack"/>.</summary>
// spec: MIG-10, MIG-42
internal static class SourceTransitions
{
    /// <summary>All transitions of the source.</summary>
    public static readonly TransitionTable<SourceState, SourceEvent> Table = new(
        new(Proposing, Accepted, Copying),
        new(Proposing, Failed, RollingBack),
        new(Copying, RoundCopied, Copying),
        new(Copying, Converged, Freezing),
        new(Copying, Failed, RollingBack),
        new(Freezing, Frozen, Dumping),
        new(Freezing, Failed, RollingBack),
        new(Dumping, Dumped, Shipping),
        new(Dumping, Failed, RollingBack),
        new(Shipping, Shipped, Preparing),
        new(Shipping, Failed, RollingBack),
        new(Preparing, PreparedInLease, Committing),
        new(Preparing, Failed, RollingBack),
        new(Committing, CommitDurable, Committed),
        new(Committing, Failed, RollingBack),
        new(Committed, RunningHeard, Destroying),
        new(Committed, LackingHeard, Giving),
        new(Committed, GaveUp, InDoubt),
        new(Giving, Given, Destroying),
        new(Giving, GaveUp, InDoubt),
        new(Destroying, Destroyed, Completed),
        new(Destroying, GaveUp, Completed),
        new(RollingBack, Thawed, RolledBack),
        new(RollingBack, GaveUp, InDoubt));

    /// <summary>Has the job ended?</summary>
    public static bool IsEnd(SourceState state) => state is Completed or RolledBack or InDoubt;

    /// <summary>Is the container frozen, or being frozen, because of this job?</summary>
    public static bool IsFrozen(SourceState state) => state is >= Freezing and <= Committed;

    /// <summary>After a record of this state the next record may be <see cref="Committed"/>.</summary>
    public static bool MayPrecedeCommit(SourceState state) => state is Freezing;
}
