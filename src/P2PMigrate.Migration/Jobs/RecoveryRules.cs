using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// What a journal allows. Pure: a table from (last state, torn tail) to what recovery may do. A torn tail counts as the most that the
/// next record may have said.
/// </summary>
// spec: MIG-54, MIG-55
internal static class RecoveryRules
{
    /// <summary>What may be done for an unfinished job of the source.</summary>
    public static RecoveryAction ForSource(int lastState, bool hasTornTail) => (SourceState)lastState switch
    {
        SourceState.Completed or SourceState.RolledBack => RecoveryAction.Forgotten,
        SourceState.Destroying => RecoveryAction.Destroyed,
        SourceState.Committed => RecoveryAction.InDoubt,
        var state when hasTornTail && SourceTransitions.MayPrecedeCommit(state) => RecoveryAction.InDoubt,
        0 or SourceState.Copying or SourceState.Freezing => RecoveryAction.Thawed,
        _ => RecoveryAction.InDoubt,
    };

    /// <summary>What may be done for an unfinished job of the target.</summary>
    public static RecoveryAction ForTarget(int lastState, bool hasTornTail) => (TargetState)lastState switch
    {
        TargetState.Completed or TargetState.Confirming => RecoveryAction.Forgotten,
        TargetState.Aborted => RecoveryAction.CleanedUp,
        TargetState.Releasing => RecoveryAction.InDoubt,
        var state when hasTornTail && TargetTransitions.MayPrecedeRelease(state) => RecoveryAction.InDoubt,
        0 or TargetState.Receiving or TargetState.Restoring => RecoveryAction.CleanedUp,
        _ => RecoveryAction.InDoubt,
    };

    /// <summary>What may be done for an unfinished job.</summary>
    public static RecoveryAction For(JournalContents contents) => contents.Head.Role == JobRole.Source
        ? ForSource(contents.LastState, contents.HasTornTail)
        : ForTarget(contents.LastState, contents.HasTornTail);
}
