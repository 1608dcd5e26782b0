using P2PMigrate.Containers.Linux;

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

    /// <summary>The release was decided; written before the hook is told.</summary>
    public bool Released { get; init; }

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

    public static void Remove(string workDirectory) => File.Delete(PathIn(workDirectory));

    private static string PathIn(string workDirectory) => Path.Combine(workDirectory, FileName);
}
