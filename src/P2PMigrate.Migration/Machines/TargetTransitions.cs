using static P2PMigrate.Migration.Machines.TargetEvent;
using static P2PMigrate.Migration.Machines.TargetState;

namespace P2PMigrate.Migration.Machines;

/// <summary>The table of chapter 11, section 3.2. <see cref="Releasing"/> is reached by <see cref="CommitHeard"/> alone.</summary>
// spec: MIG-10, MIG-44
internal static class TargetTransitions
{
    /// <summary>All transitions of the target.</summary>
    public static readonly TransitionTable<TargetState, TargetEvent> Table = new(
        new(Waiting, Proposed, Checking),
        new(Waiting, Failed, Unused),
        new(Checking, ChecksPassed, Admitting),
        new(Checking, Denied, Refused),
        new(Checking, Failed, CleaningUp),
        new(Admitting, Admitted, Receiving),
        new(Admitting, Denied, Refused),
        new(Admitting, Failed, CleaningUp),
        new(Receiving, PrepareHeard, Restoring),
        new(Receiving, Failed, CleaningUp),
        new(Restoring, Restored, Holding),
        new(Restoring, Failed, CleaningUp),
        new(Holding, CommitHeard, Releasing),
        new(Holding, Failed, CleaningUp),
        new(Releasing, Released, Confirming),
        new(Releasing, ReleaseFailed, CleaningUp),
        new(Confirming, Finished, Completed),
        new(CleaningUp, CleanedUp, Aborted),
        new(CleaningUp, GaveUp, Aborted));

    /// <summary>Has the job ended?</summary>
    public static bool IsEnd(TargetState state) => state >= Completed;

    /// <summary>After a record of this state the next record may be <see cref="Releasing"/>.</summary>
    public static bool MayPrecedeRelease(TargetState state) => state is Restoring;
}
