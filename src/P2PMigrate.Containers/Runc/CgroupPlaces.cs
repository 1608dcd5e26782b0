namespace P2PMigrate.Containers.Runc;

/// <summary>
/// Where runc may put a container's cgroup, before it has done so: a restore that is killed early leaves no record of it. Facts of runc's
/// cgroup v2 managers.
/// </summary>
internal static class CgroupPlaces
{
    private const string DefaultSlice = "system.slice";
    private const string SliceSuffix = ".slice";

    /// <summary>
    /// The candidates, as paths below <paramref name="mount"/>. <paramref name="cgroupsPath"/> is the configuration's; without an absolute
    /// one runc stays near its own cgroup, <paramref name="ownPath"/>.
    /// </summary>
    public static IEnumerable<string> Candidates(string? cgroupsPath, string container, string mount, string ownPath)
    {
        if (cgroupsPath?.Split(':') is [var slice, var prefix, var name]) return [mount + Expand(slice) + Scope(prefix, name)];
        if (cgroupsPath?.StartsWith('/') == true) return [mount + cgroupsPath.TrimEnd('/')];
        string leaf = string.IsNullOrEmpty(cgroupsPath) ? container : cgroupsPath.TrimEnd('/');
        return Ancestors(ownPath).Select(ancestor => $"{mount}{ancestor}/{leaf}");
    }

    /// <summary><c>/a/b</c>, <c>/a</c> and the root, which is empty.</summary>
    private static IEnumerable<string> Ancestors(string path)
    {
        for (path = path.TrimEnd('/'); path.Length > 0; path = path[..path.LastIndexOf('/')]) yield return path;
        yield return "";
    }

    /// <summary>systemd nests slices by the dashes in their names: <c>a-b.slice</c> is <c>/a.slice/a-b.slice</c>.</summary>
    private static string Expand(string slice)
    {
        string name = slice.Length == 0 ? DefaultSlice : slice;
        if (name == "-.slice" || !name.EndsWith(SliceSuffix, StringComparison.Ordinal)) return "";
        string[] parts = name[..^SliceSuffix.Length].Split('-');
        return string.Concat(parts.Select((_, last) => $"/{string.Join('-', parts[..(last + 1)])}{SliceSuffix}"));
    }

    private static string Scope(string prefix, string name) =>
        name.EndsWith(SliceSuffix, StringComparison.Ordinal) ? $"/{name}" : $"/{(prefix.Length == 0 ? "" : prefix + "-")}{name}.scope";
}
