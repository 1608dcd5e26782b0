namespace P2PMigrate.Agent.Tests.Blockers;

/// <summary>Something that stands in the way of a migration, brought about in a lab, and what <c>check</c> must say of it.</summary>
internal sealed record Provocation(string Name, string Sentence, string Remedy)
{
    /// <summary>A script at the source, before the check; the container is there already.</summary>
    public string AtSource { get; init; } = "";

    /// <summary>Does the container wait for what that script does?</summary>
    public bool AwaitsAtSource { get; init; }

    /// <summary>A script at the target, before it receives.</summary>
    public string AtTarget { get; init; } = "";

    /// <summary>What undoes <see cref="AtSource"/>, or <see cref="AtTarget"/>.</summary>
    public string Undo { get; init; } = "";

    /// <summary>Stands in for a program of this name, on the machine that is provoked.</summary>
    public (string Program, string Script)? StandIn { get; init; }

    /// <summary>Is it the target that is not fit?</summary>
    public bool IsOfTarget { get; init; }

    /// <summary>What the container does, in Python; it makes the file /ready when it has done so. None: the check is of the machine alone.</summary>
    public string? Container { get; init; } = Idle;

    /// <summary>What runc is started with as standard input.</summary>
    public string Input { get; init; } = "/dev/null";

    /// <summary>A directory that both machines, or only the source, have, and that the container shows.</summary>
    public string? Volume { get; init; }

    /// <summary>Has the container a network that was prepared, by the path of its namespace?</summary>
    public bool HasNetwork { get; init; }

    /// <summary>Before the name of the program, where it is to run in other circumstances.</summary>
    public string Circumstances { get; init; } = "";

    /// <summary>Options of <c>receive</c>.</summary>
    public string[] Receiving { get; init; } = [];

    private const string Few = "/tmp/few";
    private const string AllButGzip = $"mkdir -p {Few}; for d in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do ln -sf $d/* {Few}/; done; rm -f {Few}/gzip";
    private const string Idle = "open('/ready', 'w')";

    /// <summary>Of this machine's CRIU, its runtime, and what they need.</summary>
    public static IReadOnlyList<Provocation> OfMachine { get; } =
    [
        new("not root", "Does not run as root, which CRIU needs.", "Run p2pmigrate as root.") { Container = null, Circumstances = "setpriv --reuid 65534 --clear-groups" },
        new("no runc", "NO   here runc version: ", "apt-get install runc") { Container = null, StandIn = ("runc", "exit 127") },
        new("an old runc", "runc is 1.0.0.", "Install runc") { Container = null, StandIn = ("runc", "echo runc version 1.0.0") },
        new("no CRIU", "NO   here criu version: ", "apt-get install criu") { Container = null, StandIn = ("criu", "exit 127") },
        new("an old CRIU", "CRIU is 3.17.", "Install CRIU 4.2 or later.") { Container = null, StandIn = ("criu", "echo Version: 3.17") },
        new("a CRIU too old for the kernel", "CRIU 4.1.0 cannot dump internet sockets on Linux 6.18.0.", "Install CRIU 4.2 or later.")
        {
            Container = null, StandIn = ("criu", "echo Version: 4.1"),
            AtSource = "echo 6.18.0 > /tmp/osrelease; mount --bind /tmp/osrelease /proc/sys/kernel/osrelease", Undo = "umount /proc/sys/kernel/osrelease",
        },
        new("a kernel that CRIU does not like", "CRIU is not content with the kernel: no soft-dirty, no luck", "CONFIG_CHECKPOINT_RESTORE")
        {
            Container = null, StandIn = ("criu", "[ \"$1\" = check ] || exec /usr/sbin/criu \"$@\"; echo no soft-dirty, no luck >&2; exit 1"),
        },
        new("no cgroup v2", "cgroup v2 is not mounted", "Boot with systemd.unified_cgroup_hierarchy=1.")
        {
            Container = null, Circumstances = "unshare --mount sh -c 'umount -l /sys/fs/cgroup; exec \"$@\"' sh",
        },
        new("no gzip", "Missing: gzip.", "apt-get install iproute2 util-linux tar gzip")
        {
            Container = null,
            AtSource = AllButGzip, Circumstances = $"env PATH={Few}", Undo = $"rm -rf {Few}",
        },
    ];

    /// <summary>Of what the container does, and how it was started.</summary>
    public static IReadOnlyList<Provocation> OfContainer { get; } =
    [
        new("io_uring", "holds io_uring, which CRIU cannot dump.", "Configure the program to do without it.") { Container = Call("425, 4, (ctypes.c_char * 120)()") },
        new("userfaultfd", "holds userfaultfd, which CRIU cannot dump.", "Configure the program to do without it.") { Container = Call("323, 1") },
        new("a performance event", "holds a performance event, which CRIU cannot dump.", "Configure the program to do without it.")
        {
            Container = Call("298, bytes([1, 0, 0, 0, 112, 0, 0, 0] + 32 * [0] + [0x60] + 71 * [0]), 0, -1, -1, 0"),
        },
        new("a user namespace inside", "has a user namespace of its own inside the container.", "PrivateUsers") { Container = Unshare("os.CLONE_NEWUSER") },
        new("a host name inside", "has a uts namespace of its own inside the container.", "ProtectHostname") { Container = Unshare("os.CLONE_NEWUSER | os.CLONE_NEWUTS") },
        new("a large deleted file", "open with 300 MB; deleted files are dumped up to 256 MB.", "Let the program close it")
        {
            Container = "f = open('/srv/log', 'wb'); f.truncate(300 << 20); os.unlink('/srv/log'); open('/ready', 'w')",
        },
        new("a connection to a daemon of the machine", "connected to a Unix socket outside the container", "run both ends in the container")
        {
            Container = """
                s = socket.socket(socket.AF_UNIX)
                while s.connect_ex('/srv/out.sock'): time.sleep(0.1)
                open('/ready', 'w')
                """,
            AwaitsAtSource = true,
            AtSource = "setsid python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(\"/data/odd/rootfs/srv/out.sock\"); s.listen(); c = s.accept(); time.sleep(60)' </dev/null >/dev/null 2>&1 & echo $! > /tmp/daemon",
            Undo = "kill $(cat /tmp/daemon)",
        },
        new("a file from outside", "is /usr/lib/os-release, outside the container.", "Start the container with /dev/null or pipes") { Input = "/usr/lib/os-release" },
        new("a process from outside", "was started from outside (runc exec?) and would be lost.", "End it first: kill ") { AtSource = "runc exec -d odd sleep 600 </dev/null >/dev/null 2>&1" },
        new("a terminal", "The container is attached to a terminal.", "Set process.terminal to false") { AtSource = "sed -i 's/\"terminal\": *false/\"terminal\": true/' /data/odd/config.json" },
        new("a configuration that is none", "is no configuration that P2PMigrate can read.", "") { AtSource = "echo nothing > /data/odd/config.json" },
        new("no configuration", "The container odd has no /data/odd/config.json; name its bundle with --bundle.", "") { AtSource = "rm /data/odd/config.json" },
        new("paused", "The container odd is paused.", "leave it so") { AtSource = "runc pause odd", Undo = "runc resume odd" },
        new("no such container", "No runtime here (runc, crun, lxc, podman) knows a container named odd.", "") { AtSource = "runc delete --force odd" },
    ];

    /// <summary>Of the target.</summary>
    public static IReadOnlyList<Provocation> OfTarget { get; } =
    [
        new("a bundle of the name", "The target has a bundle of the name 'odd' already.", "Remove /var/lib/p2pmigrate/containers/odd at the target")
        {
            AtTarget = "mkdir -p /var/lib/p2pmigrate/containers/odd", Undo = "rmdir /var/lib/p2pmigrate/containers/odd",
        },
        new("a container of the name", "A container named odd exists here already.", "Remove it on the target: runc delete")
        {
            AtTarget = "mkdir -p /tmp/odd/rootfs; cd /tmp/odd; runc spec; sed -i 's/\"terminal\": *true/\"terminal\": false/' config.json; cp -a /opt/container-template/. rootfs; runc create odd </dev/null >/dev/null 2>&1",
            Undo = "runc delete --force odd; rm -rf /tmp/odd",
        },
        new("no such network", "which the container uses, does not exist here.", "ip netns add odd; ip -n odd link set lo up") { HasNetwork = true, AtTarget = ":" },
        new("no such volume", "/data/volume, which the container sees as /mnt, does not exist here.", "Make it on the target with the same content, or let it go along: --volume /mnt=copy") { Volume = "/data/volume", AtTarget = ":" },
        new("no room on the disk", "The target needs", "Make room there.")
        {
            AtTarget = "mkdir -p /var/lib/p2pmigrate; mount -t tmpfs -o size=64M tmpfs /var/lib/p2pmigrate", Undo = "umount -l /var/lib/p2pmigrate",
        },
        new("no room in memory", "1 MB of memory are free and ", "Free memory on the target.")
        {
            AtTarget = "sed 's/^MemAvailable:.*/MemAvailable: 1024 kB/' /proc/meminfo > /tmp/meminfo; mount --bind /tmp/meminfo /proc/meminfo", Undo = "umount /proc/meminfo",
        },
        new("a CPU that lacks something", "This CPU lacks 1 feature (sse4_2) of the source's.", "Choose a target with the same kind of CPU")
        {
            AtTarget = "sed 's/ sse4_2//' /proc/cpuinfo > /tmp/cpuinfo; mount --bind /tmp/cpuinfo /proc/cpuinfo", Undo = "umount /proc/cpuinfo",
        },
        new("an older CRIU", "CRIU is 4.0.0 here and ", "or later on the target.") { IsOfTarget = true, StandIn = ("criu", "[ \"$1\" = --version ] || exec /usr/sbin/criu \"$@\"; echo Version: 4.0") },
        new("no CRIU there", "NO   target criu version: ", "apt-get install criu") { IsOfTarget = true, StandIn = ("criu", "exit 127") },
        new("another runtime only", "The container runs under runc, the target takes containers of lxc.", "start p2pmigrate receive without --runtime") { AtTarget = ":", Receiving = ["--runtime", "lxc"] },
        new("no gzip there", "Missing: gzip.", "apt-get install iproute2 util-linux tar gzip") { AtTarget = AllButGzip, Circumstances = Few, Undo = $"rm -rf {Few}" },
    ];

    private static string Call(string arguments) => $"l = ctypes.CDLL(None, use_errno=True)\nn = l.syscall({arguments})\nassert n >= 0, os.strerror(ctypes.get_errno())\nopen('/ready', 'w')";

    private static string Unshare(string flags) => $"if not os.fork():\n    os.unshare({flags})\n    open('/ready', 'w')\n    time.sleep(600)";
}
