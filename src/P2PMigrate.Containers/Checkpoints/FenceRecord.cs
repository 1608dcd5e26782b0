using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// What a later process of ours must know to undo a fence: written before anything is touched, gone when nothing is left to
/// undo.
/// </summary>
internal sealed record FenceRecord
{
    private const string FileName = "fence.json";

    public required string Container { get; init; }

    /// <summary>The runtime that runs it.</summary>
    public string Runtime { get; init; } = "runc";

    /// <summary>Tells the container from a later one of the same name.</summary>
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

    /// <summary>Must the dump hold its cgroups? Where they are several, and where its users are mapped: only in a cgroup namespace that is restored with them may they mount cgroups.</summary>
    public bool MustKeepCgroups() => new Cgroup(CgroupPath).HasChildren || ProcessTable.MapsUsers(InitPid);

    /// <summary>Writes it to <paramref name="workDirectory"/>; an earlier one is replaced as a whole.</summary>
    public void Save(string workDirectory) => WorkRecord.Save(PathIn(workDirectory), this, RecordJson.Default.FenceRecord);

    /// <summary>The record in <paramref name="workDirectory"/>, or null when there is none of this boot.</summary>
    public static FenceRecord? Load(string workDirectory)
    {
        FenceRecord? record = WorkRecord.Load(PathIn(workDirectory), RecordJson.Default.FenceRecord);
        return record?.BootId == WorkRecord.CurrentBootId ? record : null;
    }

    /// <summary>The record in <paramref name="workDirectory"/> of whatever boot, or null when there is none.</summary>
    public static FenceRecord? LoadOfAnyBoot(string workDirectory) => WorkRecord.Load(PathIn(workDirectory), RecordJson.Default.FenceRecord);

    public static void Remove(string workDirectory) => File.Delete(PathIn(workDirectory));

    private static string PathIn(string workDirectory) => Path.Combine(workDirectory, FileName);
}
