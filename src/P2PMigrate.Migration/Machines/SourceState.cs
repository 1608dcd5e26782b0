namespace P2PMigrate.Migration.Machines;

/// <summary>Where a job stands at the source. The numbers are those of the journal.</summary>
internal enum SourceState
{
    /// <summary>The container was proposed; no answer yet. It runs here.</summary>
    Proposing = 1,

    /// <summary>Rounds of the root file system flow. It runs here.</summary>
    Copying = 2,

    /// <summary>It is being stopped.</summary>
    Freezing = 3,

    /// <summary>Frozen; CRIU dumps, memory flows.</summary>
    Dumping = 4,

    /// <summary>Frozen; images and the final round flow.</summary>
    Shipping = 5,

    /// <summary>Frozen; the target verifies and restores.</summary>
    Preparing = 6,

    /// <summary>Frozen; the target holds, the commit record is being written.</summary>
    Committing = 7,

    /// <summary>Frozen for good: the record is on disk and the target was told. It may run there.</summary>
    Committed = 8,

    /// <summary>It runs at the target; the copy here is being destroyed.</summary>
    Destroying = 9,

    /// <summary>It runs at the target, and lacks memory that is still here, frozen for good, and is being sent.</summary>
    Giving = 14,

    /// <summary>Something failed before the commit point; it is being thawed.</summary>
    RollingBack = 10,

    /// <summary>End: it runs at the target.</summary>
    Completed = 11,

    /// <summary>End: it runs here, as before.</summary>
    RolledBack = 12,

    /// <summary>End: it is frozen here and may run at the target; a person must decide.</summary>
    InDoubt = 13,
}

/// <summary>What moves the source from one state to the next.</summary>
internal enum SourceEvent
{
    /// <summary>The target accepted.</summary>
    Accepted,

    /// <summary>A round is stored at the target, and another one pays.</summary>
    RoundCopied,

    /// <summary>A round is stored at the target, and it was the last live one.</summary>
    Converged,

    /// <summary>The fence holds.</summary>
    Frozen,

    /// <summary>The dump is complete and its memory stored at the target.</summary>
    Dumped,

    /// <summary>Images and final round are stored at the target.</summary>
    Shipped,

    /// <summary>The target holds the container and its promise is fresh.</summary>
    PreparedInLease,

    /// <summary>The commit record is on disk.</summary>
    CommitDurable,

    /// <summary>The target says that the container runs.</summary>
    RunningHeard,

    /// <summary>The target says that the container runs, whose memory has been left here in part.</summary>
    LackingHeard,

    /// <summary>The target has all of its memory.</summary>
    Given,

    /// <summary>The copy here is gone.</summary>
    Destroyed,

    /// <summary>Anything went wrong, before the commit point.</summary>
    Failed,

    /// <summary>The container runs here again.</summary>
    Thawed,

    /// <summary>Nothing more can be done by this process.</summary>
    GaveUp,
}
