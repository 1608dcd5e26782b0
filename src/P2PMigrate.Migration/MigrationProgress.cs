namespace P2PMigrate.Migration;

/// <summary>
/// One step of a job's progress, fit for a line of JSON or a progress bar. Events of one job are reported in order by one
/// thread at a time; <see cref="ProgressKind.Advanced"/> at most every <see cref="MigrationTimers.ProgressInterval"/>.
/// </summary>
public sealed record MigrationProgress
{
    /// <summary>The job.</summary>
    public required JobId JobId { get; init; }

    /// <summary>The container's name.</summary>
    public required string Container { get; init; }

    /// <summary>Whether the phase began, went on or ended.</summary>
    public required ProgressKind Kind { get; init; }

    /// <summary>The phase.</summary>
    public required MigrationPhase Phase { get; init; }

    /// <summary>The round of <see cref="MigrationPhase.Copying"/>, from 0.</summary>
    public int Round { get; init; }

    /// <summary>What the round was like, for <see cref="ProgressKind.RoundEnded"/>.</summary>
    public RoundSummary? RoundSummary { get; init; }

    /// <summary>Bytes of content that this phase has moved, before compression.</summary>
    public long BytesDone { get; init; }

    /// <summary>Bytes of content that this phase will move as far as known, or null.</summary>
    public long? BytesTotal { get; init; }

    /// <summary>Bytes per second since the phase began.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>Time since the phase began.</summary>
    public TimeSpan Elapsed { get; init; }
}

/// <summary>What a <see cref="MigrationProgress"/> tells.</summary>
public enum ProgressKind
{
    /// <summary>The phase began.</summary>
    Started,

    /// <summary>Bytes moved.</summary>
    Advanced,

    /// <summary>The phase ended well; a failed one ends with the start of <see cref="MigrationPhase.RollingBack"/>.</summary>
    Finished,

    /// <summary>A live round is over, and was judged; before the <see cref="Finished"/> of its phase.</summary>
    RoundEnded,
}
