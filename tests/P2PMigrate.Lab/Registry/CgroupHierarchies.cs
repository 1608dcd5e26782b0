namespace P2PMigrate.Lab;

/// <summary>Finds where this process is in every cgroup hierarchy that is mounted on the machine.</summary>
internal static class CgroupHierarchies
{
    private sealed record Mount(string Root, string Point, string Type, string[] Options);

    /// <summary>The place of this process. Throws when the machine has no cgroup2 mount.</summary>
    public static CgroupPlace Current()
    {
        Mount[] mounts = [.. File.ReadLines("/proc/self/mountinfo").Select(Parse).Where(mount => mount.Type is "cgroup" or "cgroup2")];
        string? unified = null;
        var legacy = new List<string>();
        foreach (string line in File.ReadLines("/proc/self/cgroup"))
        {
            string[] fields = line.Split(':', 3);
            if (fields[1].Length == 0)
                unified = Locate(mounts.FirstOrDefault(mount => mount.Type == "cgroup2"), fields[2]);
            else if (Locate(mounts.FirstOrDefault(mount => mount.Type == "cgroup" && Carries(mount, fields[1])), fields[2]) is { } directory)
                legacy.Add(directory);
        }

        return new CgroupPlace(unified ?? throw new LabException("this machine has no cgroup2 mount; virtual hosts need one"), legacy);
    }

    private static bool Carries(Mount mount, string controllers) => controllers.Split(',').All(mount.Options.Contains);

    private static string? Locate(Mount? mount, string path)
    {
        if (mount is null) return null;
        string below = mount.Root == "/" ? path : path[(path.StartsWith(mount.Root, StringComparison.Ordinal) ? mount.Root.Length : 0)..];
        return Path.Join(mount.Point, below).TrimEnd('/');
    }

    // 36 35 98:0 /root /mount/point rw,noatime shared:1 - type source options
    private static Mount Parse(string line)
    {
        string[] halves = line.Split(" - ", 2);
        string[] mount = halves[0].Split(' ');
        string[] system = halves[1].Split(' ');
        return new Mount(mount[3], mount[4], system[0], system[^1].Split(','));
    }
}
