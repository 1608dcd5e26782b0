using System.Text.Json;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Runc;

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

    /// <summary>The release was decided; written before the hook is told.</summary>
    public bool Released { get; init; }

    public void Save(string workDirectory)
    {
        string draft = Path.Combine(workDirectory, FileName + ".new");
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(this, RuncJson.Default.RestoreRecord));
        File.Move(draft, Path.Combine(workDirectory, FileName), overwrite: true);
    }

    /// <summary>The record in <paramref name="workDirectory"/>, or null when no restore was begun there.</summary>
    public static RestoreRecord? Load(string workDirectory)
    {
        string path = Path.Combine(workDirectory, FileName);
        return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), RuncJson.Default.RestoreRecord) : null;
    }

    public static void Remove(string workDirectory) => File.Delete(Path.Combine(workDirectory, FileName));
}
