using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Says that a restore into a bundle was begun by us, so that cleaning up after a killed process never touches a container of somebody
/// else's that has the same name.
/// </summary>
internal sealed record RestoreRecord
{
    private const string FileName = "restore.json";

    public required string Container { get; init; }

    public required string BundlePath { get; init; }

    public required string RootPath { get; init; }

    /// <summary>Directories that did not exist when the restore began, and one of which becomes the container's cgroup.</summary>
    public required IReadOnlyList<string> Cgroups { get; init; }

    /// <summary>Links that stay off their bridges until the container runs.</summary>
    public IReadOnlyList<BridgeLink> Links { get; init; } = [];

    /// <summary>The prepared network namespace that they lead to, or null.</summary>
    public string? NetworkNamespacePath { get; init; }

    /// <summary>The container's cgroup, once it is held; frozen before CRIU lets go of it.</summary>
    public string? CgroupPath { get; init; }

    /// <summary>Its first process, once it is held.</summary>
    public ProcessIdentity? Init { get; init; }

    /// <summary>It is about to be thawed; written before. Without this we have not let it run.</summary>
    public bool Released { get; init; }

    /// <summary>It was thawed. Who finds it frozen since finds one that somebody has paused.</summary>
    public bool Thawed { get; init; }

    /// <summary>Nothing is left to remove. What <see cref="Released"/> says stays.</summary>
    public bool Removed { get; init; }

    /// <summary>The boot in which all this is true.</summary>
    public required string BootId { get; init; }

    /// <summary>Writes it to <paramref name="workDirectory"/>; an earlier one is replaced as a whole.</summary>
    public void Save(string workDirectory) => WorkRecord.Save(PathIn(workDirectory), this, RecordJson.Default.RestoreRecord);

    /// <summary>The record in <paramref name="workDirectory"/>, or null when no restore was begun there in this boot.</summary>
    public static RestoreRecord? Load(string workDirectory)
    {
        RestoreRecord? record = WorkRecord.Load(PathIn(workDirectory), RecordJson.Default.RestoreRecord);
        return record?.BootId == WorkRecord.CurrentBootId ? record : null;
    }

    /// <summary>The record in <paramref name="workDirectory"/> of a restore that was begun before this machine was started; null when there is none. Nothing of it runs.</summary>
    public static RestoreRecord? OfEarlierBoot(string workDirectory)
    {
        RestoreRecord? record = WorkRecord.Load(PathIn(workDirectory), RecordJson.Default.RestoreRecord);
        return record?.BootId == WorkRecord.CurrentBootId ? null : record;
    }

    /// <summary>Notes that nothing is left, or, on a full disk, forgets the restore.</summary>
    public void MarkRemoved(string workDirectory)
    {
        try
        {
            (this with { Removed = true }).Save(workDirectory);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            File.Delete(PathIn(workDirectory));
        }
    }

    private static string PathIn(string workDirectory) => Path.Combine(workDirectory, FileName);
}
