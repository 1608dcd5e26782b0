namespace P2PMigrate.Migration;

/// <summary>The world's fault, around a job. The message is a sentence that a person can act on and says where the container runs.</summary>
public sealed class MigrationException : Exception
{
    /// <summary>Says what happened.</summary>
    public MigrationException(MigrationFault fault, string message, JobId? jobId = null, Exception? inner = null)
        : base(message, inner)
    {
        Fault = fault;
        JobId = jobId;
    }

    /// <summary>The kind of fault.</summary>
    public MigrationFault Fault { get; }

    /// <summary>The job it is about, or null.</summary>
    public JobId? JobId { get; }
}

/// <summary>Kinds of <see cref="MigrationException"/> that a caller may want to tell apart.</summary>
public enum MigrationFault
{
    /// <summary>This container takes part in another job right now.</summary>
    AlreadyMigrating,

    /// <summary>An earlier job of this container may have committed; a person must say which copy to keep.</summary>
    InDoubt,

    /// <summary>No such job.</summary>
    UnknownJob,

    /// <summary>What the user asked for does not fit the job's state.</summary>
    WrongState,

    /// <summary>A journal is not what was written: nothing is done in its name.</summary>
    JournalDamaged,

    /// <summary>The peer broke the protocol, or sent what does not fit its own description.</summary>
    PeerBrokeProtocol,

    /// <summary>What should be an archive is none, or damaged, or cut short.</summary>
    ArchiveDamaged,

    /// <summary>A depot was sealed by, or for, other peers than this one means.</summary>
    NotSealedForThisPeer,
}
