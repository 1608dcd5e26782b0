namespace P2PMigrate.Migration;

/// <summary>A migration that this machine's journals know, as its journal stood when somebody looked.</summary>
/// <param name="JobId">The job.</param>
public sealed record KnownJob(JobId JobId)
{
    /// <summary>The container's name; empty when the journal cannot be read.</summary>
    public string Container { get; init; } = "";

    /// <summary>Which side of the job this machine is; <see cref="ContainerSide.None"/> when the journal cannot be read.</summary>
    public ContainerSide Role { get; init; }

    /// <summary>The peer's id; empty when the journal cannot be read.</summary>
    public string Peer { get; init; } = "";

    /// <summary>The state of the last record, in one word; <c>begun</c> before the first one, <c>damaged</c> when the journal cannot be read.</summary>
    public required string State { get; init; }

    /// <summary>
    /// Where the container runs, as far as this side's journal tells: <see cref="ContainerSide.None"/> when it is stopped for the job, null when only a look at the machines
    /// tells.
    /// </summary>
    public ContainerSide? RunningAt { get; init; }

    /// <summary>When the job began; null when the journal cannot be read.</summary>
    public DateTimeOffset? BeganAt { get; init; }

    /// <summary>When the state was reached; null when the journal cannot be read.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The process that works on it; null when none is seen.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Why the journal cannot be trusted, or null.</summary>
    public string? Damage { get; init; }

    /// <summary>What happens next, in sentences for the user.</summary>
    public required string Next { get; init; }

    /// <summary>What the user may type now, the harmless first; none when nothing is to be done.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];
}
