namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>A rule that a world does not keep, to see that it notices.</summary>
internal enum HandoverFlaw
{
    /// <summary>All are kept.</summary>
    None,

    /// <summary>A record counts as durable when it was written (MIG-53).</summary>
    RecordsAreNotFlushed,

    /// <summary>A source that may have committed thaws when it is started again (MIG-54).</summary>
    DoubtsAreThawed,

    /// <summary>A target that may have released removes what it finds when it is started again (MIG-55).</summary>
    DoubtsAreCleanedUp,

    /// <summary>A record that is torn counts as none (MIG-54).</summary>
    TornTailsAreOverlooked,

    /// <summary>A target that knows nothing of a job, or nothing final, says that its copy is gone (MIG-192).</summary>
    UnknownFatesAreGone,

    /// <summary>A target takes a container in of which it has an unfinished job (MIG-133).</summary>
    UnfinishedJobsAreTakenIn,

    /// <summary>A source destroys a copy in which memory is left as any other (MIG-103).</summary>
    MemoryLeftIsForgotten,

    /// <summary>A target takes memory in for a container that was not let run (MIG-105).</summary>
    MemoryIsTakenInTooEarly,
}
