namespace P2PMigrate.Containers.Checkpoints;

/// <summary>Small files of ours among CRIU's images that tell the restoring side how the dump was made. CRIU ignores them.</summary>
internal static class DumpMarks
{
    /// <summary>Empty; there when the dump kept the container's cgroups, because it had some of its own below.</summary>
    public const string CgroupsKept = "p2pmigrate-cgroups";

    /// <summary>Empty; there when a process tree had TCP connections with others than itself, which end at the restore.</summary>
    public const string ConnectionsEnd = "p2pmigrate-connections-end";
}
