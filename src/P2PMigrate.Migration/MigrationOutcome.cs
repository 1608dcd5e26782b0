using P2PMigrate.Migration.Runtime;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>How a job ended, as the source knows it: <see cref="MigrationCompleted"/> or <see cref="MigrationFailed"/>.</summary>
public abstract record MigrationOutcome
{
    /// <summary>The job.</summary>
    public required JobId JobId { get; init; }

    /// <summary>The container's name.</summary>
    public required string Container { get; init; }
}

/// <summary>The container runs at the target, and the source has said goodbye to its copy.</summary>
public sealed record MigrationCompleted : MigrationOutcome
{
    /// <summary>How the bytes travelled at the end.</summary>
    public required PathKind Path { get; init; }

    /// <summary>From the first thing that stopped the container at the source until the source heard that it runs at the target. Nothing is subtracted.</summary>
    public required TimeSpan Downtime { get; init; }

    /// <summary>Where the downtime went.</summary>
    public required DowntimeBreakdown Breakdown { get; init; }

    /// <summary>From the proposal to the end.</summary>
    public required TimeSpan Total { get; init; }

    /// <summary>Bytes given to the tunnel, after compression.</summary>
    public required long BytesSent { get; init; }

    /// <summary>Memory that the dump held, before compression.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>The part of it that was sent while the container was frozen, because the target did not have it.</summary>
    public required long FrozenMemoryBytes { get; init; }

    /// <summary>The last live round, with what was predicted then; null when there was none.</summary>
    public RoundSummary? LastRound { get; init; }

    /// <summary>Content of the root file system's regular files, before compression.</summary>
    public required long RootfsBytes { get; init; }

    /// <summary>What is left to do by hand, or null: the source's copy could not be destroyed, for instance. It is stopped for good in any case.</summary>
    public string? Warning { get; init; }
}

/// <summary>The job did not complete. <see cref="RunningAt"/> says what is still true.</summary>
public sealed record MigrationFailed : MigrationOutcome
{
    /// <summary>The first reason, one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>What kind of reason it is.</summary>
    public required FailureKind Kind { get; init; }

    /// <summary>Where the container runs now. <see cref="ContainerSide.None"/> while <see cref="IsInDoubt"/> (frozen at the source, perhaps running at the target), and when <see cref="HasContainerEnded"/>.</summary>
    public required ContainerSide RunningAt { get; init; }

    /// <summary>The source has committed (or cannot thaw) and does not know the target's end, or has memory that the container at the target still needs (then it is known to run there): the copy here stays frozen until <see cref="JobRecovery.ResolveAsync(Migration.JobId, ContainerSide, CancellationToken)"/>.</summary>
    public bool IsInDoubt { get; init; }

    /// <summary>In doubt, and memory is left here that the container needs if it runs at the target.</summary>
    // spec: MIG-104
    public bool HasLeft { get; init; }

    /// <summary>The container has ended at the source: it runs nowhere, and <see cref="Reason"/> says how to start it anew from its files there.</summary>
    // spec: MIG-14
    public bool HasContainerEnded { get; init; }

    /// <summary>The findings of a refused check, blockers first.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];
}

/// <summary>Where a container runs.</summary>
public enum ContainerSide
{
    /// <summary>Nowhere, or nobody knows.</summary>
    None,

    /// <summary>At the source.</summary>
    Source,

    /// <summary>At the target.</summary>
    Target,
}

/// <summary>Kinds of failure that a caller may want to tell apart.</summary>
public enum FailureKind
{
    /// <summary>A check said no before anything was copied.</summary>
    Preflight,

    /// <summary>The peer went away, fell silent or broke the protocol.</summary>
    Peer,

    /// <summary>The user interrupted it.</summary>
    Interrupted,

    /// <summary>Anything else: CRIU, the runtime, the disk.</summary>
    Other,
}
