using System.Globalization;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>What a process tree has to do with its machine, and needs of another one. A container's walls are missing: all of this must be looked for.</summary>
// spec: MIG-196
internal sealed class TreeCheck
{
    private const int FindingsPerKind = 5;
    private const string NewSession = "Start the program in a session of its own, without a terminal: setsid PROGRAM </dev/null >/dev/null 2>&1";

    private readonly List<Finding> _findings = [];

    /// <summary>What to say of a number that is another's.</summary>
    public static string TakenNumber(int pid) => string.Create(CultureInfo.InvariantCulture, $"Process {pid} ({ProcessTable.Status(pid, "Name") ?? "gone"}) runs here already, and a process tree keeps its numbers.");

    /// <summary>At the source: what would be lost or torn, and what would not come along.</summary>
    public async Task<IReadOnlyList<Finding>> AtSourceAsync(ProcessTree tree, CancellationToken cancellationToken)
    {
        IReadOnlyList<int> pids = tree.Pids();
        OpenFile[] files = [.. pids.SelectMany(OpenFile.Of)];
        CheckNamespaces(pids);
        CheckCgroups(tree.First, pids);
        CheckSessions(pids);
        CheckTerminals(files);
        await CheckUnitAsync(tree.First, cancellationToken).ConfigureAwait(false);
        CheckPipes(pids, files);
        CheckSystemV(pids);
        CheckLocks(tree.First, files);
        CheckConnections(pids);
        CheckWritten(files);
        return _findings;
    }

    /// <summary>At the target: are the numbers free, and the files there?</summary>
    public IReadOnlyList<Finding> AtTarget(ReadOnlySpan<byte> configuration)
    {
        if (TreeConfiguration.Parse(configuration) is not { } wanted)
        {
            Add(FindingSeverity.Blocker, "configuration", "What the source says of the process tree is not understood.", "Use the same version of p2pmigrate on both machines.");
            return _findings;
        }

        int[] taken = [.. wanted.Pids.Where(pid => ProcessIdentity.Of(pid) is not null)];
        foreach (int pid in taken.Take(FindingsPerKind))
        {
            Add(FindingSeverity.Blocker, "process number", TakenNumber(pid), "Start that program here anew, so that it gets another number, or choose another target.");
        }

        if (taken.Length == 0) Add(FindingSeverity.Good, "process number", $"The numbers of its processes are free here ({string.Join(' ', wanted.Pids.Take(FindingsPerKind))}{(wanted.Pids.Count > FindingsPerKind ? " …" : "")}).");
        CheckExpected(wanted.Files);
        return _findings;
    }

    private void CheckExpected(IReadOnlyList<ExpectedFile> files)
    {
        using var root = new RootedFile("/");
        (string Path, string How)[] different =
        [
            .. from file in files
               let how = root.Look(file.Path) is not { } here ? "is missing here"
                   : file.Size is { } size && size != here.Size ? string.Create(CultureInfo.InvariantCulture, $"has another size here than at the source ({size} bytes)") : null
               where how is not null
               select (file.Path, how),
        ];
        foreach ((string path, string how) in different.Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Blocker, "file", $"{path}, which the process tree uses, {how}.{(different.Length > FindingsPerKind ? $" ({different.Length} such files.)" : "")}",
                "Files of a plain process tree do not move: install the same version of its program here, and keep its data on storage that both machines see. To move files too, run it in a container.");
        }

        if (different.Length == 0) Add(FindingSeverity.Good, "files", $"All {files.Count} files that the process tree uses are here.");
    }

    /// <summary>All of it must be in the namespaces of this machine; the time namespace is another after a restore.</summary>
    private void CheckNamespaces(IReadOnlyList<int> pids)
    {
        foreach (string kind in new[] { "mnt", "pid", "net", "uts", "ipc", "user" })
        {
            string? ours = ProcessTable.LinkOf(Environment.ProcessId, $"ns/{kind}");
            if (pids.FirstOrDefault(pid => ProcessTable.LinkOf(pid, $"ns/{kind}") is { } other && other != ours) is not (> 0 and var pid)) continue;
            Add(
                FindingSeverity.Blocker, "namespace", $"Process {Describe(pid)} has {(kind == "ipc" ? "an" : "a")} {kind} namespace of its own, as containers and some services have.",
                "If it belongs to a container, move that by its name: p2pmigrate migrate CONTAINER. Else start the program without its own namespaces.");
            return;
        }

        if (pids.FirstOrDefault(pid => ProcessTable.LinkOf(pid, "root") is { } root && root != "/") is > 0 and var confined)
        {
            Add(FindingSeverity.Blocker, "root directory", $"Process {Describe(confined)} has {ProcessTable.LinkOf(confined, "root")} for its root directory.", "Run the program in a container with that root file system, or without chroot.");
        }
    }

    /// <summary>It is gathered in one below its place, which says nothing of those that somebody has put elsewhere.</summary>
    private void CheckCgroups(int first, IReadOnlyList<int> pids)
    {
        if (TreeCgroup.PlaceOf(first) is not { } place) return;
        foreach (int pid in pids.Where(pid => TreeCgroup.PlaceOf(pid) is { } seat && seat.Path != place.Path && ProcessIdentity.Of(pid) is { IsAlive: true }).Take(1))
        {
            Add(
                FindingSeverity.Blocker, "cgroup", TreeCgroup.Apart(pid, TreeCgroup.PlaceOf(pid) ?? place, place).Message,
                "Move the trees that are in cgroups of their own one by one, by the numbers of their first processes, or run all of it in a container.");
        }
    }

    private void CheckTerminals(OpenFile[] files)
    {
        if (files.Any(file => file.Target is "/dev/ptmx" or "/dev/pts/ptmx")) return; // a terminal of its own
        foreach (OpenFile file in files.Where(file => file.Target.StartsWith("/dev/pts/", StringComparison.Ordinal) || file.Target.StartsWith("/dev/tty", StringComparison.Ordinal)).DistinctBy(file => file.Target).Take(FindingsPerKind))
        {
            Add(FindingSeverity.Blocker, "terminal", $"Descriptor {file.Descriptor} of process {Describe(file.Pid)} is the terminal {file.Target}, which is not of the tree.", NewSession);
        }
    }

    private void CheckSessions(IReadOnlyList<int> pids)
    {
        HashSet<int> inside = [.. pids];
        foreach (int pid in pids)
        {
            if (ProcessIdentity.SessionOf(pid) is not { } session || (inside.Contains(session.Session) && inside.Contains(session.Group))) continue;
            Add(FindingSeverity.Blocker, "session", $"Process {Describe(pid)} belongs to the session of process {Describe(session.Session)}, which is not of the tree; so it is with whatever a shell starts.", NewSession);
            return;
        }
    }

    /// <summary>Whoever starts a service again when it ends would do so when its frozen copy is destroyed.</summary>
    private async Task CheckUnitAsync(int first, CancellationToken cancellationToken)
    {
        if (await SystemdUnit.OfAsync(first, cancellationToken).ConfigureAwait(false) is not { MayStartAgain: true } unit) return;
        Add(
            FindingSeverity.Blocker, "systemd unit", unit.Restart.Length > 0 ? $"Process {Describe(first)} belongs to {unit.Name}, which systemd starts again when it ends (Restart={unit.Restart}), also after it has moved."
                : $"Process {Describe(first)} belongs to {unit.Name}, and nobody here says whether that is started again when it ends, also after it has moved.",
            $"Start the program by systemd-run --scope instead{(unit.Restart.Length > 0 ? $"; or: systemctl edit --runtime {unit.Name}, with [Service] and Restart=no in it" : "")}.");
    }

    /// <summary>CRIU restores a pipe whose other end is elsewhere as one that leads nowhere.</summary>
    private void CheckPipes(IReadOnlyList<int> pids, OpenFile[] files)
    {
        HashSet<int> inside = [.. pids];
        ILookup<string, OpenFile> pipes = files.Where(file => file.Target.StartsWith("pipe:[", StringComparison.Ordinal)).ToLookup(file => file.Target);
        if (pipes.Count == 0) return;
        IEnumerable<(int Pid, string Target)> leading =
            from pid in ProcessTable.Pids()
            where !inside.Contains(pid)
            from file in ProcessTable.Descriptors(pid)
            where pipes.Contains(file.Target)
            select (pid, file.Target);
        foreach ((int Pid, string Target) other in leading.DistinctBy(each => each.Target).Take(FindingsPerKind))
        {
            OpenFile own = pipes[other.Target].First();
            Add(
                FindingSeverity.Blocker, "pipe", $"Descriptor {own.Descriptor} of process {Describe(own.Pid)} is a pipe to process {Describe(other.Pid)}, which is not of the tree.",
                "Move both, by the number of the process that started them, or start the program with files or /dev/null instead.");
        }
    }

    /// <summary>Memory and queues of System V belong to the machine. Of semaphores the kernel does not tell whose they are.</summary>
    private void CheckSystemV(IReadOnlyList<int> pids)
    {
        HashSet<int> inside = [.. pids];
        foreach ((string kind, string what) in new[] { ("shm", "shared memory"), ("msg", "message queue") })
        {
            if (SystemV.Objects(kind).FirstOrDefault(one => one.Pids.Any(inside.Contains)) is not { } used) continue;
            Add(
                FindingSeverity.Blocker, "System V", $"The tree uses System V {what} (key {used.Key}), which belongs to the machine and does not move with a process.",
                "Run the program in a container, whose System V objects move with it.");
        }

        if (SystemV.Objects("sem").Count > 0)
        {
            Add(
                FindingSeverity.Warning, "System V", "This machine has System V semaphores, and the kernel does not tell which processes use them; they do not move.",
                "If the program uses some (ipcs -s lists them), run it in a container.");
        }
    }

    /// <summary>On storage that both machines see, the frozen tree holds its locks until it ends, and the copy cannot be restored before.</summary>
    private void CheckLocks(int first, OpenFile[] files)
    {
        Dictionary<int, Mount> mounts = Mount.Of(first.ToString(CultureInfo.InvariantCulture)).ToDictionary(mount => mount.Id);
        foreach (OpenFile file in files.Where(file => file.IsPath && mounts.TryGetValue(file.MountId, out Mount? mount) && mount.IsOfNetwork && file.HasLock()).DistinctBy(file => file.Target).Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Blocker, "lock", $"Process {Describe(file.Pid)} holds a lock on {file.Target}, which other machines see too ({mounts[file.MountId].FileSystem}): its copy could not get it while the frozen tree has it.",
                "Let the program keep what it locks on a disk of this machine, with the same file at the target.");
        }
    }

    private void CheckConnections(IReadOnlyList<int> pids)
    {
        IReadOnlyList<TcpConnection> leading = TreeConnections.LeadingOut(pids);
        if (leading.Count == 0) return;
        Add(
            FindingSeverity.Warning, "connections", $"The tree is connected with others by TCP ({string.Join(", ", leading.Take(FindingsPerKind).Select(connection => connection.RemoteText))}{(leading.Count > FindingsPerKind ? " …" : "")}). Its address stays here, so all its connections, those within the tree too, are closed when it moves.",
            "Let clients connect again, at the target's address; or run the program in a container with a network of its own, whose connections go on.");
    }

    private void CheckWritten(OpenFile[] files)
    {
        using var root = new RootedFile("/");
        foreach (OpenFile file in files.Where(file => file is { IsPath: true, IsDeleted: false, CanWrite: true }).DistinctBy(file => file.Target).Where(file => root.Look(file.Target) is { IsRegular: true }).Take(FindingsPerKind))
        {
            Add(
                FindingSeverity.Warning, "file", $"Process {Describe(file.Pid)} writes {file.Target}, and files of a plain process tree do not move: the target must see the same file, with the same content, when it arrives.",
                "Keep it on storage that both machines see, or run the program in a container.");
        }
    }

    private static string Describe(int pid) => string.Create(CultureInfo.InvariantCulture, $"{pid} ({ProcessTable.Status(pid, "Name") ?? "gone"})");

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
