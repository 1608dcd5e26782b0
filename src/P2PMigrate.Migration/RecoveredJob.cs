namespace P2PMigrate.Migration;

/// <summary>An unfinished job that recovery found, and what became of it.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Container">The container's name; empty when the journal is unreadable.</param>
/// <param name="Action">What was done.</param>
/// <param name="RunningAt">Where the container runs now, as far as this side knows.</param>
/// <param name="Message">A sentence for the user, with the command to type when one is needed.</param>
public sealed record RecoveredJob(JobId JobId, string Container, RecoveryAction Action, ContainerSide RunningAt, string Message)
{
    /// <summary>Everything is undone here, and the container runs nowhere: it has ended. <see cref="Message"/> says what starts it.</summary>
    // spec: MIG-14
    public bool HasContainerEnded => (Action, RunningAt) == (RecoveryAction.Thawed, ContainerSide.None);
}

/// <summary>What recovery did with a job.</summary>
public enum RecoveryAction
{
    /// <summary>Source: thawed, it had not committed.</summary>
    Thawed,

    /// <summary>Source: destroyed, the target was heard running.</summary>
    Destroyed,

    /// <summary>Target: removed, no commit was heard.</summary>
    CleanedUp,

    /// <summary>Nothing was left to do but to forget the job.</summary>
    Forgotten,

    /// <summary>Left as it is: it may have committed. A person must decide.</summary>
    InDoubt,

    /// <summary>The process that works on it was asked, to stop or how it ended, and has not ended it yet. Where it commits first, the job goes on.</summary>
    Asked,

    /// <summary>Target: its container runs here and lacks memory that its source is to give, if it can be met; the job ends when that has come.</summary>
    Awaits,

    /// <summary>It could not be done; it will be tried again at the next start.</summary>
    Failed,
}
