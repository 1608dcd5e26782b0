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

    private protected override IEnumerable<string> EnterNamespaces =>
        ["nsenter", "--target", InitPid.ToString(), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"];

    private protected override bool EntryForks => true;

    private protected override IEnumerable<string> BaseEnvironment =>
    [
        "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
        "TERM=" + (Environment.GetEnvironmentVariable("TERM") ?? "dumb"),
    ];

    private protected override IEnumerable<string> CgroupJoinFiles => _scope.CgroupsOf(Name).JoinFiles(InitCgroup);
}
