using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Lab;

/// <summary>
/// A machine within the machine: its own root file system (Debian forky), processes, mounts, network, host name, IPC
/// and cgroups, in which CRIU, runc and redis run as on real hardware. /data and /var/lib/p2pmigrate are plain
/// directories; everything else is an overlay on the shared image.
/// </summary>
public sealed class VirtualHost : LabNode
{
    /// <summary>The cgroup below the host's cgroup root that holds everything outside containers.</summary>
    internal const string InitCgroup = "init";

    /// <summary>Where a host shows, read-only, the small root file system from which containers are made.</summary>
    public const string ContainerTemplate = "/opt/container-template";

    /// <summary>The host's path of a root file system with systemd as its init, and an sshd that is not enabled.</summary>
    public const string SystemTemplate = "/opt/system-template";

    private readonly LabScope _scope;
    private readonly ProcessIdentity _init;

    internal VirtualHost(LabScope scope, string name, ProcessIdentity init)
        : base(scope, name)
    {
        _scope = scope;
        _init = init;
    }

    /// <summary>The host's first process, by its number outside.</summary>
    public int InitPid => _init.Pid;

    /// <summary>The outside path of a file in the host. Absolute symbolic links on the way would lead outside; avoid them.</summary>
    public string PathOf(string path) => $"/proc/{InitPid}/root/{path.TrimStart('/')}";

    /// <summary>The same for what is below /data, without a link of /proc on the way, which some programs refuse to follow.</summary>
    public string PlainPathOf(string path) => path.StartsWith("/data/", StringComparison.Ordinal)
        ? Path.Combine(_scope.WorkOf(Name), "plain" + path)
        : throw new LabException($"{path} is not below /data");

    public Task<string> ReadTextAsync(string path, CancellationToken cancellationToken = default) =>
        File.ReadAllTextAsync(PathOf(path), cancellationToken);

    public Task WriteTextAsync(string path, string text, CancellationToken cancellationToken = default) =>
        File.WriteAllTextAsync(PathOf(path), text, cancellationToken);

    /// <summary>The processes in one of the host's cgroups, such as a container's, by their numbers outside; empty when there is none.</summary>
    public IReadOnlyList<int> PidsOf(string cgroup)
    {
        try
        {
            return [.. File.ReadLines(Path.Combine(_scope.CgroupsOf(Name).Unified, cgroup, "cgroup.procs")).Select(int.Parse)];
        }
        catch (IOException)
        {
            return []; // there is none, or it is removed at this moment
        }
    }

    /// <summary>Opens one of the host's files for reading, whoever holds a lock on it. Throws <see cref="IOException"/>.</summary>
    public SafeFileHandle OpenUnlocked(string path) => Native.OpenUnlocked(PathOf(path));

    /// <summary>
    /// SIGKILL for the host's processes that run a program of this name, outside of containers and in the cgroup of <paramref name="container"/>: runc puts the CRIU that restores one there.
    /// False when there are none.
    /// </summary>
    public bool KillProgramsNamed(string name, string container)
    {
        int[] found = [.. PidsOf(InitCgroup).Concat(PidsOf(container)).Where(pid => NameOf(pid) == name)];
        foreach (int pid in found)
            Native.Signal(pid, UnixSignal.Kill);
        return found.Length > 0;
    }

    /// <summary>Finds a host that is up, whoever raised it.</summary>
    internal static VirtualHost Find(string lab, string name)
    {
        LabScope scope = LabScope.Open(lab);
        return scope.Hosts.TryGetValue(name, out ProcessIdentity? init)
            ? new VirtualHost(scope, name, init)
            : throw new LabException($"`{lab}` has no virtual host `{name}`");
    }

    private static string? NameOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").TrimEnd('\n');
        }
        catch (IOException)
        {
            return null; // It has ended.
        }
    }

    private protected override IEnumerable<string> EnterNamespaces =>
        ["nsenter", "--target", InitPid.ToString(), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"];

    private protected override bool EntryForks => true;

    private protected override IEnumerable<string> BaseEnvironment =>
    [
        "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
        "TERM=" + (Environment.GetEnvironmentVariable("TERM") ?? "dumb"),
    ];

    private protected override string BaseDirectory => "/";

    private protected override IEnumerable<string> CgroupJoinFiles => _scope.CgroupsOf(Name).JoinFiles(InitCgroup);
}
