using System.Text.Json.Serialization;

namespace P2PMigrate.Lab;

/// <summary>
/// One directory in the machine's cgroup2 hierarchy and its twin in each v1 hierarchy that exists beside it, below the
/// places where this process is. A virtual host needs its own place in all of them: CRIU and runtimes walk every
/// hierarchy from its cgroup namespace's root. On a machine with cgroup2 only, <see cref="Legacy"/> is empty.
/// </summary>
internal sealed record CgroupPlace(string Unified, IReadOnlyList<string> Legacy)
{
    [JsonIgnore]
    public IEnumerable<string> All => Legacy.Prepend(Unified);

    /// <summary>The same without v1 twins: enough where nothing looks at cgroups.</summary>
    public CgroupPlace UnifiedOnly => this with { Legacy = [] };

    public CgroupPlace Child(string name) =>
        new(Path.Combine(Unified, name), [.. Legacy.Select(directory => Path.Combine(directory, name))]);

    public void Create()
    {
        Directory.CreateDirectory(Unified);
        foreach (string directory in Legacy)
        {
            Directory.CreateDirectory(directory);
            InheritCpuset(directory);
        }
    }

    /// <summary>The files to which a process writes 0 to move itself here; <paramref name="leaf"/> is below the cgroup2 directory only.</summary>
    public IEnumerable<string> JoinFiles(string leaf = "") =>
        Legacy.Prepend(Path.Combine(Unified, leaf)).Select(directory => Path.Combine(directory, "cgroup.procs"));

    /// <summary>A new v1 cpuset is empty and takes no process until it has CPUs and memory nodes.</summary>
    private static void InheritCpuset(string directory)
    {
        foreach (string file in (string[])["cpuset.cpus", "cpuset.mems"])
        {
            string own = Path.Combine(directory, file);
            if (!File.Exists(own) || File.ReadAllText(own).Trim().Length > 0) continue;
            File.WriteAllText(own, File.ReadAllText(Path.Combine(directory, "..", file)));
        }

        string cloneChildren = Path.Combine(directory, "cgroup.clone_children");
        if (File.Exists(Path.Combine(directory, "cpuset.cpus")) && File.Exists(cloneChildren)) File.WriteAllText(cloneChildren, "1");
    }
}
