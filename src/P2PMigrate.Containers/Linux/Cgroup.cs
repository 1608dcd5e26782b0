using System.Diagnostics;
using System.Globalization;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// A directory of the cgroup v2 hierarchy that holds a container. Freezing it stops every process in it and below before
/// its next instruction in user space, and holds on its own, whoever lives or dies.
/// </summary>
internal sealed class Cgroup(string path)
{
    private const int LinesMax = 1 << 20;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_keenly = TimeSpan.FromMilliseconds(3); // most containers stop within this, and their clients wait

    private string? _inHierarchy;        // once it was asked for

    /// <summary>The directory.</summary>
    public string Path { get; } = path;

    public bool Exists => Directory.Exists(Path);

    /// <summary>Its path without the mount, as /proc/PID/cgroup has it; null when no cgroup2 mount here shows it.</summary>
    public string? InHierarchy =>
        _inHierarchy ??= Mount.Of("self").Where(mount => mount.FileSystem == "cgroup2" && (Path + "/").StartsWith(mount.MountPoint + "/", StringComparison.Ordinal))
            .Select(mount => mount.Root.TrimEnd('/') + Path[mount.MountPoint.Length..]).FirstOrDefault();

    /// <summary>Does the kernel say that every process in it is stopped? (Asking it to freeze is not yet this.)</summary>
    public bool IsFrozen => Event("frozen") == 1;

    /// <summary>Was it asked to freeze, itself and not one above?</summary>
    public bool IsAskedToFreeze => FirstLine("cgroup.freeze") == "1";

    /// <summary>Is there any process in it?</summary>
    public bool IsPopulated => Event("populated") == 1;

    /// <summary>For how long it has been frozen in its life, by a kernel that counts it (6.18); else null.</summary>
    public FrozenTime? FrozenSoFar => FrozenTime.Read(System.IO.Path.Combine(Path, "cgroup.stat.local"));

    /// <summary>Processor time that its processes have used, in microseconds.</summary>
    public long UsedMicroseconds => Number("cpu.stat", "usage_usec") ?? 0;

    /// <summary>Has it cgroups below, as systemd in a container makes them?</summary>
    public bool HasChildren => Directory.EnumerateDirectories(Path).Any();

    /// <summary>
    /// The cgroup v2 of a process; on machines that also have v1 hierarchies, the line <c>0::</c> is the one. Throws when this machine
    /// has no cgroup2 mount that shows it.
    /// </summary>
    public static Cgroup Of(int pid) => At(PathOf(pid));

    /// <summary>As <see cref="Of(int)"/>, but the nearest one above it, or itself, that has a name for which <paramref name="isTop"/> holds; itself when none has.</summary>
    public static Cgroup Of(int pid, Func<string, bool> isTop)
    {
        string own = PathOf(pid), top = own;
        while (top.Length > 1 && !isTop(System.IO.Path.GetFileName(top))) top = System.IO.Path.GetDirectoryName(top)!;
        return At(top.Length > 1 ? top : own);
    }

    private static Cgroup At(string inHierarchy) =>
        PlacesOf(inHierarchy, (mount, below) => [mount + below.TrimEnd('/')]).Select(path => new Cgroup(path)).FirstOrDefault(cgroup => cgroup.Exists)
        ?? throw new ContainerException($"The container's cgroup {inHierarchy} is not visible here; mount cgroup2 at /sys/fs/cgroup.");

    /// <summary>What <paramref name="places"/> makes of each cgroup2 mount and the path of our own cgroup below it.</summary>
    public static IEnumerable<string> PlacesBelow(Func<string, string, IEnumerable<string>> places) => PlacesOf(PathOf(Environment.ProcessId), places);

    /// <summary>Every process in it and below, in our numbers. Cgroups below that vanish meanwhile, or hold threads only, have none of their own.</summary>
    public IReadOnlyList<int> Pids()
    {
        var pids = new List<int>();
        foreach (string directory in Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories).Prepend(Path))
        {
            try
            {
                foreach (string line in File.ReadLines(System.IO.Path.Combine(directory, "cgroup.procs")).Take(LinesMax))
                {
                    if (int.TryParse(line, CultureInfo.InvariantCulture, out int pid)) pids.Add(pid);
                }
            }
            catch (IOException) when (directory != Path)
            {
                // vanished, or a threaded one (EOPNOTSUPP), whose processes the one above lists
            }
        }

        return pids;
    }

    /// <summary>Those in it alone, and not below; none when it is gone.</summary>
    public IReadOnlyList<int> OwnPids()
    {
        try
        {
            return [.. File.ReadLines(System.IO.Path.Combine(Path, "cgroup.procs")).Take(LinesMax).Select(line => int.TryParse(line, CultureInfo.InvariantCulture, out int pid) ? pid : 0).Where(pid => pid > 0)];
        }
        catch (IOException) when (!Exists)
        {
            return [];
        }
    }

    /// <summary>The same as <see cref="Pids"/> for the cgroup of <paramref name="container"/>, which is refused when this program is in it too: it would freeze itself.</summary>
    public IReadOnlyList<int> PidsOfOthers(string container)
    {
        IReadOnlyList<int> pids = Pids();
        return !pids.Contains(Environment.ProcessId) ? pids
            : throw new ContainerException($"The container {container} shares its cgroup {Path} with other processes of this machine; give it one of its own.");
    }

    /// <summary>Cgroups below that somebody froze by themselves.</summary>
    public IEnumerable<string> FrozenBelow() => Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories).Where(below => new Cgroup(below).IsAskedToFreeze);

    /// <summary>Is this process, in our numbers, in it or below? False for one that is gone.</summary>
    public bool Holds(int pid)
    {
        try
        {
            string inHierarchy = PathOf(pid);
            return InHierarchy is { } top && (inHierarchy + "/").StartsWith(top + "/", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ContainerException)
        {
            return false;
        }
    }

    /// <summary>Puts a process into it; nothing happens to one that has ended.</summary>
    public void Take(int pid)
    {
        try
        {
            Write("cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
        }
        catch (ContainerException) when (ProcessIdentity.Of(pid) is not { IsAlive: true })
        {
            // it has ended meanwhile, or is a zombie
        }
    }

    /// <summary>Lets its processes go on. When this returns, they may have; when it throws, they have not.</summary>
    public void Thaw() => Write("cgroup.freeze", "0");

    /// <summary>Asks to freeze (or thaw) and waits until it is so; false when it is not within <paramref name="limit"/>.</summary>
    public async Task<bool> SetFrozenAsync(bool frozen, TimeSpan limit, CancellationToken cancellationToken)
    {
        Write("cgroup.freeze", frozen ? "1" : "0");
        return await WaitAsync(() => IsFrozen == frozen, limit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills every process in it and below, frozen or not, without letting it run; false when some are left after <paramref name="limit"/>.</summary>
    public async Task<bool> KillAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            if (!Exists) return true;
            Write("cgroup.kill", "1");
            if (!await WaitAsync(() => !Exists || !IsPopulated, limit, cancellationToken).ConfigureAwait(false)) return false;

            // Empty now, so that nothing runs by this; runtimes take a frozen cgroup for a paused container, empty or not.
            if (Exists) Write("cgroup.freeze", "0");
        }
        catch (ContainerException) when (!Exists)
        {
            // whoever made it has removed it meanwhile
        }

        return true;
    }

    /// <summary>Removes it and those below it, which must be empty. What cannot be removed stays.</summary>
    public void Remove()
    {
        if (!Exists) return;
        foreach (string directory in Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories).OrderByDescending(path => path.Length).Append(Path))
        {
            try
            {
                Directory.Delete(directory);
            }
            catch (IOException)
            {
                return; // it is in use again, or was removed by another
            }
        }
    }

    /// <summary>The cgroup v2 of a process as /proc has it, seen from the root of our cgroup namespace.</summary>
    internal static string PathOf(int pid) =>
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup")).FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal))?[3..]
        ?? throw new ContainerException("This kernel has no cgroup v2, which P2PMigrate needs to freeze a container.");

    private static IEnumerable<string> PlacesOf(string inHierarchy, Func<string, string, IEnumerable<string>> places) =>
        from mount in Mount.Of("self")
        where mount.FileSystem == "cgroup2"
        let root = mount.Root.TrimEnd('/')
        where inHierarchy.StartsWith(root, StringComparison.Ordinal) && !inHierarchy.StartsWith("/..", StringComparison.Ordinal)
        from place in places(mount.MountPoint, inHierarchy[root.Length..])
        select place;

    private static async Task<bool> WaitAsync(Func<bool> reached, TimeSpan limit, CancellationToken cancellationToken)
    {
        for (long start = Stopwatch.GetTimestamp(); !reached();)
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            if (waited > limit) return false;
            if (waited < s_keenly) await Task.Yield();
            else await Task.Delay(s_look, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private long Event(string name) => Number("cgroup.events", name) ?? 0;

    /// <summary>Null also when the cgroup is gone, and with it all its processes.</summary>
    private long? Number(string file, string name)
    {
        try
        {
            string? line = File.ReadLines(System.IO.Path.Combine(Path, file)).FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private string? FirstLine(string file)
    {
        try
        {
            return File.ReadLines(System.IO.Path.Combine(Path, file)).FirstOrDefault();
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Write(string file, string value)
    {
        try
        {
            File.WriteAllText(System.IO.Path.Combine(Path, file), value);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ContainerException($"Cannot write {value} to {Path}/{file}: {refused.Message}", inner: refused);
        }
    }
}
