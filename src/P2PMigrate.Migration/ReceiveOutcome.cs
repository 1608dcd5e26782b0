namespace P2PMigrate.Migration;

/// <summary>How a session ended at the target.</summary>
/// <param name="End">The kind of end.</param>
/// <param name="JobId">The job, or null when none was proposed.</param>
/// <param name="Container">The container's name, or null when none was proposed.</param>
/// <param name="Reason">Why it did not complete, one sentence, or null.</param>
public sealed record ReceiveOutcome(ReceiveEnd End, JobId? JobId = null, string? Container = null, string? Reason = null);

/// <summary>Kinds of end of a session at the target.</summary>
public enum ReceiveEnd
{
    /// <summary>The session ended and nothing was proposed: a ping, for instance.</summary>
    NothingProposed,

    /// <summary>A job was proposed and refused before anything was copied.</summary>
    Refused,

    /// <summary>The job failed, and the container did not run here. Nothing of it is left, or the reason says why.</summary>
    Aborted,

    /// <summary>The container runs here.</summary>
    Completed,

    /// <summary>The source committed, but the container could not be released here, nor removed. It is frozen at the source.</summary>
    InDoubt,
}
