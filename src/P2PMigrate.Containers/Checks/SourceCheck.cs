using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checks;

/// <summary>
/// Can this container be dumped? Looks in /proc, while it runs, for what CRIU cannot take along. What it does not find CRIU will, and the
/// container then runs on; this is only the kinder moment to say it.
/// </summary>
/// <param name="runtime">Who runs it.</param>
/// <param name="container">The container.</param>
/// <param name="network">What becomes of its network.</param>
/// <param name="tree">Lists the processes of one that has no cgroup of its own yet; null where the cgroup tells them.</param>
internal sealed class SourceCheck(IRuntimeProgram runtime, ContainerDescription container, NetworkFate network, Func<IReadOnlyList<int>>? tree = null)
{
    private const int FindingsPerKind = 5;

    private static readonly (string Mark, string What)[] s_undumpable =
    [
        ("anon_inode:[io_uring]", "io_uring"),
        ("anon_inode:[userfaultfd]", "userfaultfd"),
        ("anon_inode:bpf-prog", "a BPF program"),
        ("anon_inode:[perf_event]", "a performance event"),
    ];

    private readonly List<Finding> _findings = [];

    /// <summary>Looks at everything; one finding a line. <paramref name="praises"/>: says so when there is nothing.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(bool praises, CancellationToken cancellationToken)
    {
        IReadOnlyList<int> pids = Pids();
        OpenFile[] files = [.. pids.SelectMany(OpenFile.Of)];
        if (tree is null)
        {
            CheckCgroups();
            CheckAncestry(pids);
            CheckNamespaces(pids);
        }

        CheckUsers(pids);
        CheckObjects(files);
        CheckPressure(files);
        CheckPlaces(files);
        CheckGhosts(files);
        await CheckSocketsAsync(files, cancellationToken).ConfigureAwait(false);
        await CheckNetworkAsync(cancellationToken).ConfigureAwait(false);
        if (praises && _findings.Count == 0) Add(FindingSeverity.Good, "container", $"Nothing in {container.Name} stands in the way of a dump.");
        return _findings;
    }

    /// <summary>The container's own cgroup must be the one that is frozen, with nothing below it that stands still for somebody else: CRIU cannot make that run, and waits for it.</summary>
    // spec: MIG-162
    private void CheckCgroups()
    {
        var cgroup = new Cgroup(container.CgroupPath);
        string top = Mount.Of(container.InitPid.ToString(CultureInfo.InvariantCulture)).FirstOrDefault(mount => mount is { FileSystem: "cgroup2", Root.Length: > 1 })?.Root ?? "";
        if (top.Length > 0 && cgroup.InHierarchy is { } own && own.StartsWith(top + "/", StringComparison.Ordinal))
        {
            Add(
                FindingSeverity.Blocker, "cgroup", $"The container's first process has moved itself into {own}, below the container's own cgroup {top}, where it could not be frozen together with the others.",
                "Start the program without such a move, or run it with LXC.");
        }

        foreach (string frozen in cgroup.FrozenBelow().Take(FindingsPerKind))
        {
            Add(FindingSeverity.Blocker, "cgroup", $"Processes in {frozen} are paused by somebody inside the container, and CRIU cannot dump what is paused.", "Let them go on (systemctl thaw, docker unpause, or echo 0 > cgroup.freeze there).");
        }
    }

    /// <summary>CRIU dumps the tree below the first process; what was started into the container from outside is silently lost.</summary>
    private void CheckAncestry(IReadOnlyList<int> pids)
    {
        HashSet<int> inside = [.. pids];
        foreach (int pid in pids.Where(pid => pid != container.InitPid && !DescendsFromInit(pid, inside)).Take(FindingsPerKind))
        {
            Add(FindingSeverity.Blocker, "process", $"Process {Describe(pid)} was started from outside ({runtime.AttachCommand}?) and would be lost.", $"End it first: kill {pid}");
        }
    }

    private bool DescendsFromInit(int pid, HashSet<int> inside)
    {
        for (int steps = 0; steps <= inside.Count; steps++)
        {
            if (ProcessIdentity.ParentOf(pid) is not { } parent) return true; // it ended meanwhile
            if (parent == container.InitPid) return true;
            if (!inside.Contains(parent)) return false;
            pid = parent;
        }

        return false;
    }

    private void CheckUsers(IReadOnlyList<int> pids)
    {
        if (Machine.HasSysResource || pids.All(pid => ProcessTable.Status(pid, "Uid") is not { } user || user.Split('\t')[0] == "0")) return;
        Add(
            FindingSeverity.Warning, "user", "Processes do not run as root, and this machine's root lacks CAP_SYS_RESOURCE: CRIU may not be able to dump them.",
            "Run on a machine whose root has the capability.");
    }

    private void CheckNamespaces(IReadOnlyList<int> pids)
    {
        foreach (string kind in new[] { "user", "uts", "ipc", "pid" })
        {
            string? own = NamespaceOf(container.InitPid, kind);
            foreach (int pid in pids.Where(pid => own is not null && NamespaceOf(pid, kind) is { } other && other != own).Take(FindingsPerKind))
            {
                Add(FindingSeverity.Blocker, "namespace", $"Process {Describe(pid)} has {(kind == "ipc" ? "an" : "a")} {kind} namespace of its own inside the container.", "With systemd inside, turn off ProtectHostname, PrivateUsers, PrivateIPC and PrivatePIDs of its units.");
            }
        }
    }

    private void CheckObjects(OpenFile[] files)
    {
        foreach ((string mark, string what) in s_undumpable)
        {
            foreach (int pid in files.Where(file => file.Target == mark).Select(file => file.Pid).Distinct().Take(FindingsPerKind))
            {
                Add(FindingSeverity.Blocker, "object", $"Process {Describe(pid)} holds {what}, which CRIU cannot dump.", "Configure the program to do without it.");
            }
        }
    }

    /// <summary>The kernel's files of stalls: whoever sets one to wake it must do so again after a restore, and does not know.</summary>
    private void CheckPressure(OpenFile[] files)
    {
        foreach (OpenFile file in files.Where(file => file.IsPressure).DistinctBy(file => file.Pid).Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Blocker, "pressure", $"Process {Describe(file.Pid)} waits for {file.Target}; CRIU takes the file along but not what it is set to, and a program that waits for it turns in circles from then on.",
                "Configure the program to do without it. With systemd as the first process, turn off MemoryPressureWatch, CPUPressureWatch and IOPressureWatch, as the README says, and start the container anew.");
        }
    }

    /// <summary>Files on mounts that the container does not have, as inherited standard streams are, and message queues.</summary>
    private void CheckPlaces(OpenFile[] files)
    {
        Dictionary<int, Mount> mounts = Mount.Of(container.InitPid.ToString(CultureInfo.InvariantCulture)).ToDictionary(mount => mount.Id);
        HashSet<int> ownMountNamespace = [.. files.Select(file => file.Pid).Distinct().Where(pid => NamespaceOf(pid, "mnt") == NamespaceOf(container.InitPid, "mnt"))];
        OpenFile[] placed = [.. files.Where(file => file.IsPath && ownMountNamespace.Contains(file.Pid))];
        foreach (OpenFile file in placed.Where(file => !mounts.ContainsKey(file.MountId)).Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Blocker, "file", $"Descriptor {file.Descriptor} of process {Describe(file.Pid)} is {file.Target}, outside the container.",
                $"Start the container with /dev/null or pipes as its standard streams: {runtime.StartCommand(container.Name, container.BundlePath)} </dev/null >/dev/null 2>&1");
        }

        foreach (OpenFile file in placed.Where(file => mounts.TryGetValue(file.MountId, out Mount? mount) && mount.FileSystem == "mqueue" && file.Target != mount.MountPoint).Take(FindingsPerKind))
        {
            Add(FindingSeverity.Blocker, "object", $"Process {Describe(file.Pid)} has the message queue {file.Target} open, which CRIU cannot dump.", "Configure the program to do without it.");
        }
    }

    private void CheckGhosts(OpenFile[] files)
    {
        foreach (OpenFile file in files.Where(file => file.IsDeleted && file.Length() > CriuConfiguration.GhostBytesMax).Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Blocker, "deleted file", $"Process {Describe(file.Pid)} holds {file.Target} open with {file.Length() >> 20} MB; deleted files are dumped up to {CriuConfiguration.GhostBytesMax >> 20} MB.",
                "Let the program close it (restart or reload it).");
        }
    }

    private async Task CheckSocketsAsync(OpenFile[] files, CancellationToken cancellationToken)
    {
        IReadOnlyList<UnixSocket> leading = await LeadingOutAsync(files, cancellationToken).ConfigureAwait(false);
        if (leading.Count == 0) return;

        // The other end may belong to a process that began after the files were listed; then a second look finds it.
        HashSet<ulong> still = [.. (await LeadingOutAsync(OpenFiles(), cancellationToken).ConfigureAwait(false)).Select(socket => socket.Inode)];
        foreach (UnixSocket socket in leading.Where(socket => still.Contains(socket.Inode)).Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Blocker, "unix socket", $"A process is connected to a Unix socket outside the container ({(socket.Path.Length > 1 ? socket.Path : "no name")}).",
                "Let the program close this connection, or run both ends in the container.");
        }
    }

    private async Task<IReadOnlyList<UnixSocket>> LeadingOutAsync(OpenFile[] files, CancellationToken cancellationToken)
    {
        IReadOnlyList<UnixSocket> sockets = await UnixSocket.ListAsync(container.InitPid, cancellationToken).ConfigureAwait(false);
        HashSet<ulong> own = [.. files.Select(file => file.SocketInode).OfType<ulong>()];
        return [.. sockets.Where(socket => own.Contains(socket.Inode) && socket.PeerInode != 0 && !own.Contains(socket.PeerInode))];
    }

    private OpenFile[] OpenFiles() => [.. Pids().SelectMany(OpenFile.Of)];

    private IReadOnlyList<int> Pids() => tree?.Invoke() ?? new Cgroup(container.CgroupPath).Pids();

    private async Task CheckNetworkAsync(CancellationToken cancellationToken)
    {
        if (NetworkIsolation.SharesOurNetwork(container.InitPid))
        {
            Add(
                FindingSeverity.Warning, "network", $"{(tree is null ? "The container" : "The process tree")} uses this machine's network; its addresses must exist on the target, and firewall rules stay here.",
                tree is null ? "Give it a prepared network namespace on both machines." : "Run it in a container with a network of its own to move that too.");
            return;
        }

        NetworkIsolation isolation = await NetworkIsolation.FindAsync(container.InitPid, cancellationToken).ConfigureAwait(false);
        if (!isolation.Complete) Add(FindingSeverity.Warning, "network", "The container has a network that is no bridge port; CRIU locks it with a firewall rule, which takes longer.", "Connect it by a veth pair whose outer end is in a bridge.");
        if (network is NetworkFate.LeftBehind or NetworkFate.MadeAnew) await CheckFirewallAsync(cancellationToken).ConfigureAwait(false);
        if (isolation is { Links.Count: 0, Complete: true }) return;
        if (network == NetworkFate.MadeAnew)
            Add(FindingSeverity.Warning, "network", $"{runtime.Name} makes the container's network at the target, with the same addresses; its connections with others went through this machine's own address. They end there, and nobody tells the other ends.", "Let clients notice by their own time limits, and connect again.");
        if (network == NetworkFate.LeftBehind)
        {
            Add(FindingSeverity.Warning, "network", $"The container's network was put into a namespace that {runtime.Name} made: at the target it will have loopback only.", "Prepare a network namespace (ip netns add) and name its path in config.json.");
        }
    }

    /// <summary>Rules that the container has made for itself are in a namespace that the runtime makes anew.</summary>
    private async Task CheckFirewallAsync(CancellationToken cancellationToken)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"--net=/proc/{container.InitPid}/ns/net");
        if (!Tool.Exists("nft") || (await Tool.RunAsync("nsenter", [place, "nft", "list", "ruleset"], cancellationToken).ConfigureAwait(false)) is not { Succeeded: true } rules || string.IsNullOrWhiteSpace(rules.Output)) return;
        Add(
            FindingSeverity.Warning, "firewall", "The container's network namespace has firewall rules, which do not move: at the target it has none.",
            "Prepare a network namespace with these rules on both machines, and give it to the container.");
    }

    private static string? NamespaceOf(int pid, string kind) => ProcessTable.LinkOf(pid, $"ns/{kind}");

    private static string Describe(int pid) => string.Create(CultureInfo.InvariantCulture, $"{pid} ({ProcessTable.Status(pid, "Name") ?? "gone"})");

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
