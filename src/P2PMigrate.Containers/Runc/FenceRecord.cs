using System.Text.Json;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Runc;

/// <summary>
/// What a later process of ours must know to undo a fence: written before anything is touched, gone when nothing is left to
/// undo. It only has to outlive our process: after a reboot there is no container either.
/// </summary>
internal sealed record FenceRecord
{
    private const string FileName = "fence.json";

    public required string Container { get; init; }

    /// <summary>runc's creation time of the container.</summary>
    public required string Created { get; init; }

    public required string BundlePath { get; init; }

    public required string CgroupPath { get; init; }

    public required int InitPid { get; init; }

    public required ulong InitStartTicks { get; init; }

    /// <summary>The boot in which all this is true.</summary>
    public required string BootId { get; init; }

    /// <summary>Links that were taken off their bridges.</summary>
    public IReadOnlyList<BridgeLink> Links { get; init; } = [];

    /// <summary>Can nothing outside reach the container's network while the links are off?</summary>
    public bool Isolated { get; init; }

    /// <summary>Names inside the container that stand in for removed ones (CRIU's link_remap files).</summary>
    public IReadOnlyList<string> LinkRemaps { get; init; } = [];

    public ProcessIdentity Init => new(InitPid, InitStartTicks);

    public static string CurrentBootId => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Writes it to <paramref name="workDirectory"/>; an earlier one is replaced as a whole.</summary>
    public void Save(string workDirectory)
    {
        string draft = Path.Combine(workDirectory, FileName + ".new");
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(this, RuncJson.Default.FenceRecord));
        File.Move(draft, Path.Combine(workDirectory, FileName), overwrite: true);
    }

    /// <summary>The record in <paramref name="workDirectory"/>, or null when there is none of this boot.</summary>
    public static FenceRecord? Load(string workDirectory)
    {
        string path = Path.Combine(workDirectory, FileName);
        if (!File.Exists(path)) return null;
        FenceRecord? record = JsonSerializer.Deserialize(File.ReadAllBytes(path), RuncJson.Default.FenceRecord);
        return record?.BootId == CurrentBootId ? record : null;
    }

    public static void Remove(string workDirectory) => File.Delete(Path.Combine(workDirectory, FileName));
}
