using System.Text.RegularExpressions;

namespace P2PMigrate.Containers.Criu;

/// <summary>A complaint of CRIU's that is understood. <paramref name="Sentence"/> may use the groups of <paramref name="Pattern"/>.</summary>
internal sealed record CriuCause(Regex Pattern, string Sentence)
{
    /// <summary>The sentence, or null when this is not the cause.</summary>
    public string? Explain(string complaint)
    {
        Match match = Pattern.Match(complaint);
        return match.Success ? match.Result(Sentence) : null;
    }
}

/// <summary>What CRIU's complaints mean to a person, the more specific first. Each was provoked once; a new one gets a row and a test.</summary>
internal static partial class CriuKnowledge
{
    /// <summary>Known causes, in the order in which they are tried.</summary>
    public static IReadOnlyList<CriuCause> Causes { get; } =
    [
        // What a process holds.
        new(IoUring(), "A process uses io_uring, which CRIU cannot dump; configure the program to do without it."),
        new(Userfaultfd(), "A process uses userfaultfd, which CRIU cannot dump."),
        new(BpfProgram(), "A process holds BPF programs, which CRIU cannot dump; with systemd inside, turn off PrivateDevices, DeviceAllow and IPAddressDeny of its units."),
        new(NestedNamespace(), "A process has a ${kind} namespace of its own inside the container, which CRIU cannot dump; with systemd inside, turn off ProtectHostname, PrivateUsers, PrivateIPC and PrivatePIDs."),
        new(FileOutside(), "Descriptor ${fd} of a process is the file ${path} on a mount that the container does not have; start the container with /dev/null or pipes as its standard streams."),
        new(ExternalSocket(), "A process is connected to a Unix socket outside the container, which cannot move with it."),
        new(UnixWithoutPeer(), "A process has a Unix datagram socket whose other end is outside the container, which cannot move with it."),
        new(GhostTooBig(), "A process holds a deleted file open that is too large to dump (${size} bytes)."),
        new(ConnectedTcp(), "A process has an established TCP connection that this dump was told not to keep."),
        new(FileLocks(), "A process holds file locks that this dump was told not to keep."),
        new(LinkRemap(), "A process holds a file open whose name was removed while other hard links to it remain, and CRIU could not link it back."),
        new(Terminal(), "A process is attached to a terminal outside the container; start it without one."),
        new(SessionOutside(), "A process belongs to a session started from outside (runc exec?); end it first."),
        new(MessageOnItsWay(), "A process had not received yet what it had been sent over a socket, in a way that CRIU cannot dump; try again. If that does not help, a program does not receive, or accept, at all: restart it."),
        new(InotifyHandle(), "A process watches files with inotify on a file system where CRIU cannot find them again (overlay); use a plain root file system."),
        // What this machine lacks.
        new(RlimitDenied(), "This root lacks CAP_SYS_RESOURCE, so CRIU cannot dump processes that do not run as root."),
        new(SocketOption(), "This CRIU is too old for this kernel (from 6.16 it cannot dump internet sockets); install CRIU 4.2 or later."),
        new(PipeSize(), "This root lacks CAP_SYS_RESOURCE and fs.pipe-max-size is small; run: sysctl -w fs.pipe-max-size=268435456"),
        new(Firewall(), "CRIU could not lock the network because iptables or nft is missing or failed; install nftables."),
        new(NoSpace(), "The disk that holds the images is full."),
        new(FreezeTimeout(), "The processes did not stop in time for CRIU; one of them may be stuck in the kernel."),
        // What the target lacks.
        new(BadSize(), "The file ${path} has ${got} bytes here but ${want} at the source."),
        new(BadMode(), "The file ${path} has mode ${got} here but ${want} at the source."),
        new(BadBuildId(), "The program file ${path} is another build than at the source."),
        new(MissingFile(), "The file ${path}, which the container holds open, is missing here."),
        new(PortTaken(), "A port that the container listens on is taken in its network namespace here."),
        new(AddressMissing(), "An address that the container's sockets use does not exist in its network namespace here."),
        new(PidTaken(), "A process number that the container needs is taken here."),
        new(CpuFeatures(), "This machine's CPU lacks features that the container's processes use (${what})."),
        new(ObjectUnpack(), "The images do not fit this machine's CRIU; install the source's version or a later one."),
        new(HookRefused(), "The restore was called off before the container ran."),
        // The conversation with us.
        new(PageServerGone(), "The memory pages could not be delivered."),
    ];

    /// <summary>Is this complaint in the logs of dumps and restores that succeed?</summary>
    public static bool IsHarmless(string complaint) => Harmless().IsMatch(complaint);

    /// <summary>Is this complaint about a state in which the container is for a moment only?</summary>
    public static bool IsPassing(string complaint) => MessageOnItsWay().IsMatch(complaint);

    [GeneratedRegex(@"rlimit: Can't setup RLIMIT_NOFILE|ipv4: Address already assigned")]
    private static partial Regex Harmless();

    [GeneratedRegex(@"io_uring|Unknown shit 600|send_fds failed|Can't retrieve FDs from socket")]
    private static partial Regex IoUring();

    [GeneratedRegex(@"anon_inode:\[userfaultfd\]")]
    private static partial Regex Userfaultfd();

    [GeneratedRegex(@"anon_inode:bpf-prog")]
    private static partial Regex BpfProgram();

    [GeneratedRegex(@"Can't dump nested (?<kind>\w+) namespace")]
    private static partial Regex NestedNamespace();

    [GeneratedRegex(@"Can't lookup mount=\d+ for fd=(?<fd>-?\d+) path=(?<path>.+)")]
    private static partial Regex FileOutside();

    [GeneratedRegex(@"External socket is used|Can't dump half of stream unix connection")]
    private static partial Regex ExternalSocket();

    [GeneratedRegex(@"Unix socket \S+ without peer")]
    private static partial Regex UnixWithoutPeer();

    [GeneratedRegex(@"Can't dump ghost file .* of (?<size>\d+) size")]
    private static partial Regex GhostTooBig();

    [GeneratedRegex(@"Connected TCP socket")]
    private static partial Regex ConnectedTcp();

    [GeneratedRegex(@"Some file locks are hold")]
    private static partial Regex FileLocks();

    [GeneratedRegex(@"Can't create link remap|Can't link remap|Can't link .*link_remap")]
    private static partial Regex LinkRemap();

    [GeneratedRegex(@"Unable to find a master for|tty: .*external|Found dangling tty")]
    private static partial Regex Terminal();

    [GeneratedRegex(@"A session leader of .* is outside of its pid namespace")]
    private static partial Regex SessionOutside();

    [GeneratedRegex(@"skqueue: Control messages in queue|Non-empty write queue on an in-flight socket")]
    private static partial Regex MessageOnItsWay();

    [GeneratedRegex(@"fsnotify: .*(can't|cannot|Can't) .*(handle|opened)", RegexOptions.IgnoreCase)]
    private static partial Regex InotifyHandle();

    [GeneratedRegex(@"Can't get rlimit")]
    private static partial Regex RlimitDenied();

    [GeneratedRegex(@"Can't get 1:(16|34) opt")]
    private static partial Regex SocketOption();

    [GeneratedRegex(@"page-pipe: .*(tee|Can't make pipe|F_SETPIPE_SZ).*Operation not permitted")]
    private static partial Regex PipeSize();

    [GeneratedRegex(@"iptables|ip6tables|nftables|Locking network failed")]
    private static partial Regex Firewall();

    [GeneratedRegex(@"No space left on device")]
    private static partial Regex NoSpace();

    [GeneratedRegex(@"Unable to freeze|Timeout reached|Timed out")]
    private static partial Regex FreezeTimeout();

    [GeneratedRegex(@"File (?<path>.+) has bad size (?<got>\d+) \(expect (?<want>\d+)\)")]
    private static partial Regex BadSize();

    [GeneratedRegex(@"File (?<path>.+) has bad mode (?<got>\d+) \(expect (?<want>\d+)\)")]
    private static partial Regex BadMode();

    [GeneratedRegex(@"File (?<path>.+) has bad build-ID")]
    private static partial Regex BadBuildId();

    [GeneratedRegex(@"Can't open file (?<path>.+) on restore: No such file|Can't open file (?<path>.+): No such file")]
    private static partial Regex MissingFile();

    [GeneratedRegex(@"Can't bind .*Address already in use")]
    private static partial Regex PortTaken();

    [GeneratedRegex(@"Can't (bind|connect) .*(Cannot assign requested address|Network is unreachable)")]
    private static partial Regex AddressMissing();

    [GeneratedRegex(@"Pid \d+ do not match expected|Can't fork for \d+: File exists")]
    private static partial Regex PidTaken();

    [GeneratedRegex(@"cpu: (?<what>.*(not supported|missing|required|mismatch|bits).*)")]
    private static partial Regex CpuFeatures();

    [GeneratedRegex(@"Failed unpacking object|Unsupported image version|Image version")]
    private static partial Regex ObjectUnpack();

    [GeneratedRegex(@"Aborting restore due to post-restore script|Script .* exited with")]
    private static partial Regex HookRefused();

    [GeneratedRegex(@"page-xfer: |Can't write pages to socket|page server")]
    private static partial Regex PageServerGone();
}
