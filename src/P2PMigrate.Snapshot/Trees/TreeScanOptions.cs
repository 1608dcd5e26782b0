namespace P2PMigrate.Snapshot.Trees;

/// <summary>How a <see cref="TreeScanner"/> works. The defaults are right for migration.</summary>
public sealed record TreeScanOptions
{
    /// <summary>What happens where another file system or a bind mount begins below the root.</summary>
    public MountPointPolicy MountPoints { get; init; } = MountPointPolicy.List;

    /// <summary>Threads that list directories, and read and hash file content.</summary>
    public int Parallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>How often a file that changes while it is read is begun anew before it is reported dirty.</summary>
    public int MaxReadAttempts { get; init; } = 3;

    /// <summary>
    /// A file whose ctime lies less than this before the pass that read it is read again by the next pass: its change may
    /// have been in the same tick of the clock, or in a long <c>write</c> that stamped the time when it began.
    /// </summary>
    public TimeSpan ChangeMargin { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>What a scanner does with mount points below its root.</summary>
public enum MountPointPolicy
{
    /// <summary>Listed with their attributes, without what is mounted there: a directory as empty, a file as empty.</summary>
    List,

    /// <summary>Part of the tree like any other directory or file.</summary>
    Descend,

    /// <summary>The scan fails and names the first one.</summary>
    Refuse,
}
