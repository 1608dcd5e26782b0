namespace P2PMigrate.Migration;

/// <summary>What the user chose for one checkpoint. Either <see cref="Path"/> or <see cref="Output"/> is given.</summary>
public sealed record CheckpointOptions
{
    /// <summary>The archive's file, which is not there yet.</summary>
    public string? Path { get; init; }

    /// <summary>A stream for the archive, which stays the caller's. Nobody can know where its bytes end up, so the container is left running.</summary>
    public Stream? Output { get; init; }

    /// <summary>Does the container go on when the archive is complete? If not, it is stopped for good.</summary>
    public bool IsLeftRunning { get; init; }

    /// <summary>The job's id.</summary>
    public JobId JobId { get; init; } = JobId.Create();
}
