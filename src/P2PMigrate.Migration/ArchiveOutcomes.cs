namespace P2PMigrate.Migration;

/// <summary>The archive is complete, and on the disk if it is a file.</summary>
public sealed record CheckpointCompleted : MigrationOutcome
{
    /// <summary>Bytes of the archive.</summary>
    public required long ArchiveBytes { get; init; }

    /// <summary>Memory in it, before compression.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Content of regular files in it, before compression.</summary>
    public required long RootfsBytes { get; init; }

    /// <summary>How long the container stood still: until it went on, or until it was ended.</summary>
    public required TimeSpan Frozen { get; init; }

    /// <summary>Does the container go on?</summary>
    public required bool IsLeftRunning { get; init; }

    /// <summary>What is left to do by hand, or null.</summary>
    public string? Warning { get; init; }

    /// <summary>It was to go on, and has ended; <see cref="Warning"/> says how to start it anew.</summary>
    // spec: MIG-14
    public bool HasContainerEnded { get; init; }
}

/// <summary>The container of an archive runs here.</summary>
public sealed record RestoreCompleted : MigrationOutcome
{
    /// <summary>Memory that was restored.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>When the archive was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Was the container left running where the archive was made? Then there may be two of it now.</summary>
    public required bool WasLeftRunning { get; init; }

    /// <summary>From the first byte of the archive until the container ran.</summary>
    public required TimeSpan Total { get; init; }
}
