using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Runtime;

/// <summary>A running container, as its runtime and the kernel describe it. Paths are the source's.</summary>
public sealed record ContainerDescription
{
    /// <summary>The runtime's name for it.</summary>
    public required string Name { get; init; }

    /// <summary>The runtime that runs it: <c>runc</c>, <c>crun</c>, <c>lxc</c>, <c>podman</c>; <c>criu</c> for a process tree without a container.</summary>
    public required string Runtime { get; init; }

    /// <summary>Where the runtime's configuration lies.</summary>
    public required string BundlePath { get; init; }

    /// <summary>The root file system, absolute.</summary>
    public required string RootPath { get; init; }

    /// <summary>The runtime's configuration of it, byte for byte: a bundle's <c>config.json</c>, LXC's <c>config</c>; of a process tree what it needs.</summary>
    public required ReadOnlyMemory<byte> Configuration { get; init; }

    /// <summary>Volumes that go along as part of the root file system, at their mount points. None in a description that came from the peer.</summary>
    // spec: MIG-186
    public IReadOnlyList<TreeGraft> Volumes { get; init; } = [];

    /// <summary>The files that go along.</summary>
    public TreeLocation Files => new(RootPath) { Grafts = Volumes };

    /// <summary>The first process, in our pid namespace. Zero in a description that came from the peer.</summary>
    public int InitPid { get; init; }

    /// <summary>The cgroup, absolute path of its directory. Empty in a description that came from the peer.</summary>
    public string CgroupPath { get; init; } = "";

    /// <summary>Resident memory of all its processes together, in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>How many processes it has.</summary>
    public int ProcessCount { get; init; }
}

/// <summary>What a peer tells about its machine, for the other's checks.</summary>
public sealed record MachineFacts
{
    /// <summary>CRIU's version, such as <c>4.2.1</c>.</summary>
    public required string CriuVersion { get; init; }

    /// <summary>The runtime's version.</summary>
    public required string RuntimeVersion { get; init; }

    /// <summary>The kernel's release.</summary>
    public required string KernelRelease { get; init; }

    /// <summary>The machine's architecture, as <c>uname -m</c> says it.</summary>
    public required string Architecture { get; init; }

    /// <summary>CPU features (the flags of <c>/proc/cpuinfo</c>), sorted.</summary>
    public required IReadOnlyList<string> CpuFeatures { get; init; }
}

/// <summary>One line of a check: what was looked at, what was found, and what to do about it.</summary>
/// <param name="Severity">Whether migration may go on.</param>
/// <param name="Subject">What was looked at, in a few words: <c>criu version</c>.</param>
/// <param name="Message">What was found, one sentence.</param>
/// <param name="Remedy">What to type or change, or null when all is well.</param>
public sealed record Finding(FindingSeverity Severity, string Subject, string Message, string? Remedy = null);

/// <summary>How bad a <see cref="Finding"/> is.</summary>
public enum FindingSeverity
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Works, but the user should know.</summary>
    Warning,

    /// <summary>Migration would fail; it is not begun.</summary>
    Blocker,
}

/// <summary>What a finished dump was like.</summary>
/// <param name="Duration">From the start of the dump until the images were complete.</param>
/// <param name="PagesDumped">Pages of 4 KiB that went to the sink.</param>
public sealed record DumpSummary(TimeSpan Duration, long PagesDumped);

/// <summary>What the target needs to build a container from its images. Paths are the target's.</summary>
public sealed record RestoreRequest
{
    /// <summary>The container as the source described it.</summary>
    public required ContainerDescription Container { get; init; }

    /// <summary>The bundle to restore into: <c>config.json</c> and the root file system are in place.</summary>
    public required string BundlePath { get; init; }

    /// <summary>The root file system inside the bundle, absolute.</summary>
    public required string RootPath { get; init; }

    /// <summary>CRIU's images, complete.</summary>
    public required string ImageDirectory { get; init; }

    /// <summary>A private directory for logs, hooks and sockets.</summary>
    public required string WorkDirectory { get; init; }
}

/// <summary>The world's fault, around a container. The message says what failed and what to do; the log is where <see cref="LogPath"/> says.</summary>
public sealed class ContainerException : Exception
{
    /// <summary>Says what happened in a sentence that a person can act on.</summary>
    public ContainerException(string message, string? logPath = null, Exception? inner = null)
        : base(message, inner) => LogPath = logPath;

    /// <summary>CRIU's or the runtime's log with the details, or null.</summary>
    public string? LogPath { get; }
}
