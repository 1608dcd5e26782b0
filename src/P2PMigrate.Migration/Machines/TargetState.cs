namespace P2PMigrate.Migration.Machines;

/// <summary>Where a job stands at the target. The numbers are those of the journal.</summary>
internal enum TargetState
{
    /// <summary>Nothing was proposed yet.</summary>
    Waiting = 1,

    /// <summary>A container was proposed; can it live here?</summary>
    Checking = 2,

    /// <summary>It can; the ticket is being spent and the job written down.</summary>
    Admitting = 3,

    /// <summary>Accepted; content arrives.</summary>
    Receiving = 4,

    /// <summary>Everything is here; it is verified and restored up to before the first instruction.</summary>
    Restoring = 5,

    /// <summary>The container exists and is held. The source may commit.</summary>
    Holding = 6,

    /// <summary>The source has committed; the container is being released.</summary>
    Releasing = 7,

    /// <summary>It runs here; the source is being told.</summary>
    Confirming = 8,

    /// <summary>Something failed before the container ran here; what is here is being removed.</summary>
    CleaningUp = 9,

    /// <summary>End: it runs here.</summary>
    Completed = 10,

    /// <summary>End: nothing of it is here.</summary>
    Aborted = 11,

    /// <summary>End: a check or the ticket said no.</summary>
    Refused = 12,

    /// <summary>End: nothing was proposed.</summary>
    Unused = 13,
}

/// <summary>What moves the target from one state to the next.</summary>
internal enum TargetEvent
{
    /// <summary>The source proposed a container.</summary>
    Proposed,

    /// <summary>Nothing blocks it.</summary>
    ChecksPassed,

    /// <summary>A check found a blocker, or the ticket does not admit it.</summary>
    Denied,

    /// <summary>The ticket is spent, the job is in the journal.</summary>
    Admitted,

    /// <summary>The source says that everything was sent, and it was.</summary>
    PrepareHeard,

    /// <summary>The container is held.</summary>
    Restored,

    /// <summary>The source has committed.</summary>
    CommitHeard,

    /// <summary>The container runs.</summary>
    Released,

    /// <summary>The container could not be released, and has not run.</summary>
    ReleaseFailed,

    /// <summary>The job is forgotten, and the source has heard or will not hear any more.</summary>
    Finished,

    /// <summary>Anything else went wrong, before the commit was heard.</summary>
    Failed,

    /// <summary>Nothing of the container is left.</summary>
    CleanedUp,

    /// <summary>Nothing more can be done by this process.</summary>
    GaveUp,
}
