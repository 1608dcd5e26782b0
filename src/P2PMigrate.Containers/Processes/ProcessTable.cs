using System.Globalization;

namespace P2PMigrate.Containers.Processes;

/// <summary>The processes of our pid namespace, as /proc lists them.</summary>
internal static class ProcessTable
{
    private const int ThreadsMax = 300;

    /// <summary>Every process's number.</summary>
    public static IEnumerable<int> Pids()
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)) yield return pid;
        }
    }

    /// <summary>The numbers of a process's threads, its own among them; none when it is gone.</summary>
    public static IEnumerable<int> Threads(int pid) => Numbers(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"));

    /// <summary>What the descriptors of a process lead to, by their numbers; none when it is gone. Costs less than <see cref="Checks.OpenFile.Of"/>.</summary>
    public static IEnumerable<(int Descriptor, string Target)> Descriptors(int pid) =>
        from descriptor in Numbers(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd"))
        let target = LinkOf(pid, string.Create(CultureInfo.InvariantCulture, $"fd/{descriptor}"))
        where target is not null
        select (descriptor, target);

    private static IReadOnlyList<int> Numbers(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(directory).Select(entry => int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture))];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>A line of /proc/PID/status such as <c>VmRSS</c>, without its name; null when it or the process is not there.</summary>
    public static string? Status(int pid, string name)
    {
        try
        {
            return File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"))
                .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ':')
                ?[(name.Length + 1)..].Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Does one of its threads (of the first few hundred) wait in the kernel where no signal wakes it? In a frozen cgroup it is one that has started another process by vfork.</summary>
    public static bool WaitsInKernel(int pid)
    {
        try
        {
            return Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")).Take(ThreadsMax)
                .Select(thread => File.ReadAllText(Path.Combine(thread, "stat")))
                .Any(stat => stat.AsSpan(stat.LastIndexOf(')') + 1).StartsWith(" D ", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false; // It has ended.
        }
    }

    /// <summary>Is it in another user namespace than we, so that its numbers of users are others there?</summary>
    public static bool MapsUsers(int pid) => LinkOf(pid, "ns/user") is { } theirs && theirs != LinkOf(Environment.ProcessId, "ns/user");

    /// <summary>What a link below /proc/PID, such as <c>cwd</c> or <c>ns/net</c>, leads to; null when the process is gone.</summary>
    public static string? LinkOf(int pid, string name)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{name}")).LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The paths of files that it has mapped and that still have their names, its program among them.</summary>
    public static IReadOnlyList<string> MappedFiles(int pid)
    {
        try
        {
            return
            [
                .. from mapping in Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/map_files"))
                   let path = new FileInfo(mapping).LinkTarget
                   where path is ['/', ..] && !path.EndsWith(" (deleted)", StringComparison.Ordinal)
                   select path,
            ];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Memory of a process that is not a file's, in bytes.</summary>
    public static long ResidentBytes(int pid) => StatusBytes(pid, "RssAnon") + StatusBytes(pid, "RssShmem");

    /// <summary>A count of kB in /proc/PID/status as bytes; zero when it is not there.</summary>
    public static long StatusBytes(int pid, string name) =>
        Status(pid, name) is { } value && long.TryParse(value.Split(' ')[0], CultureInfo.InvariantCulture, out long kilobytes) ? kilobytes << 10 : 0;
}
