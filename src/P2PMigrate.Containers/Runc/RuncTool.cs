using System.Text.Json;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Runc;

/// <summary>The questions and small commands that go to the runc and criu programs. A runtime with the same command line and state derives from it.</summary>
internal class RuncTool(RuncOptions options) : IRuntimeProgram
{
    private const int DetachMount = 2; // MNT_DETACH
    private static readonly ToolVersion s_first = new(1, 1);
    private static readonly ToolVersion s_firstWithCgroupIgnore = new(1, 2);
    private static readonly ToolVersion s_firstWithLinkRemap = new(1, 3);

    private ToolVersion? _runc;
    private ToolVersion? _criu;

    public RuncOptions Options => options;

    /// <summary>The runtime's own program.</summary>
    public string Program => options.Runc;

    /// <inheritdoc/>
    public virtual string Name => "runc";

    /// <inheritdoc/>
    public string Criu => options.Criu;

    /// <inheritdoc/>
    public string AttachCommand => $"{Name} exec";

    /// <inheritdoc/>
    public bool DumpsNetwork => false;

    /// <inheritdoc/>
    public IReadOnlyList<string>? PageProgram => options.PageProgram;

    /// <inheritdoc/>
    public virtual ToolVersion VersionMin => s_first;

    /// <inheritdoc/>
    public bool HasRemainsOf(string name) => Directory.Exists(StateDirectoryOf(name));

    /// <inheritdoc/>
    public string RemovalCommand(string name) => $"{Name} delete {name}";

    /// <inheritdoc/>
    public string StartCommand(string name, string bundle) => $"{Name} run -d -b {bundle} {name}";

    /// <inheritdoc/>
    public string KillCommand(string name) => $"{Name} kill {name} KILL";

    /// <inheritdoc/>
    public int? RestoredInit(string workDirectory) => RuncRestore.InitOf(workDirectory);

    /// <inheritdoc/>
    public string? ComplaintOf(string workDirectory, string log) => RuncLog.LastError(LogPath(workDirectory, log), Name);

    /// <summary>The state directory of a container, which exists while runc knows it (or its restore broke off).</summary>
    public string StateDirectoryOf(string name) => Path.Combine(options.StateRoot ?? $"/run/{Name}", name);

    /// <summary>A runc command line: program, global options, then <paramref name="arguments"/>.</summary>
    public IEnumerable<string> CommandLine(params IEnumerable<string> arguments) =>
        [options.Runc, .. options.StateRoot is { } root ? ["--root", root] : Array.Empty<string>(), .. arguments];

    /// <summary>The container as runc knows it, or null when it knows none by this name.</summary>
    public async Task<RuncState?> StateAsync(string name, CancellationToken cancellationToken)
    {
        ToolResult result = await RunAsync(["state", name], cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded && IsUnknown(result.Error)) return null;
        result.Require($"ask {Name} about the container {name}");
        return JsonSerializer.Deserialize(result.Output, RuncJson.Default.RuncState)
            ?? throw new ContainerException($"{Name} described the container {name} in a form that P2PMigrate does not know.");
    }

    /// <summary>
    /// Kills what is left of a container and forgets it. Nothing happens when runc does not know it. A container without processes is
    /// asked for gently first: with force runc waits a tenth of a second for their end in any case.
    /// </summary>
    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if ((await RunAsync(["delete", name], cancellationToken).ConfigureAwait(false)).Succeeded) return;
        ToolResult result = await RunAsync(["delete", "--force", name], cancellationToken).ConfigureAwait(false);
        result.Require($"remove the container {name} from {Name}");
    }

    /// <inheritdoc/>
    public async Task<KnownContainer?> FindAsync(string name, CancellationToken cancellationToken) =>
        await StateAsync(name, cancellationToken).ConfigureAwait(false) is { } state ? new KnownContainer(state.Status, state.Pid, state.Created, state.Bundle) : null;

    /// <summary>Of a bundle that is the one in which the first process is: neither runc nor crun puts it into one below.</summary>
    public Cgroup CgroupOf(string name, int init) => Cgroup.Of(init);

    /// <inheritdoc/>
    public Task ForgetAsync(string name, CancellationToken cancellationToken) => DeleteAsync(name, cancellationToken);

    /// <inheritdoc/>
    public virtual Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken)
    {
        RemoveMounts(StateDirectoryOf(record.Container), record.RootPath);
        return DeleteAsync(record.Container, cancellationToken);
    }

    /// <inheritdoc/>
    public virtual IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options) =>
    [
        .. CommandLine("--log", LogPath(workDirectory, "dump"), "--log-format", "json", "checkpoint"),
        "--leave-running", "--tcp-established", "--file-locks", .. options,
        .. memory.RuncOptions, "--image-path", imageDirectory, "--work-path", workDirectory, fence.Container,
    ];

    /// <inheritdoc/>
    public virtual IEnumerable<string> DumpLines(FenceRecord fence, IMemoryDelivery memory) => [];

    /// <summary>Lines of CRIU's configuration for a restore.</summary>
    public virtual IEnumerable<string> RestoreLines => [];

    /// <inheritdoc/>
    public virtual IReadOnlyList<Finding> CheckInstallation() => [];

    /// <inheritdoc/>
    public async Task<ToolVersion> VersionAsync(CancellationToken cancellationToken) =>
        _runc ??= await ToolVersion.AskAsync(options.Runc, cancellationToken).ConfigureAwait(false);

    public async Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken) =>
        _criu ??= await ToolVersion.AskAsync(options.Criu, cancellationToken).ConfigureAwait(false);

    /// <summary>Options of <c>runc checkpoint</c> that only later versions know; CRIU's configuration file stands in for the others.</summary>
    public virtual async Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken)
    {
        ToolVersion version = await VersionAsync(cancellationToken).ConfigureAwait(false);
        return [.. CgroupOptions(version, keepsCgroups), .. version >= s_firstWithLinkRemap ? ["--link-remap", "--tcp-skip-in-flight"] : Array.Empty<string>()];
    }

    /// <summary>As <see cref="DumpOptionsAsync"/>, for <c>runc restore</c>.</summary>
    public virtual async Task<IReadOnlyList<string>> RestoreOptionsAsync(bool manageCgroups, CancellationToken cancellationToken) =>
        CgroupOptions(await VersionAsync(cancellationToken).ConfigureAwait(false), manageCgroups);

    /// <summary>Walking and restoring cgroups costs time; runc itself puts the container into its own.</summary>
    private static string[] CgroupOptions(ToolVersion version, bool manageCgroups) =>
        manageCgroups || version < s_firstWithCgroupIgnore ? [] : ["--manage-cgroups-mode", "ignore"];

    /// <summary>
    /// A killed runc leaves its bind mount of the root file system in its state directory, and those it made within. They must be gone
    /// before runc is asked to delete the container: it would empty that directory, through the mount.
    /// </summary>
    protected static void RemoveMounts(params string[] directories)
    {
        foreach (string point in MountsBelow(directories).Reverse()) _ = Native.Unmount(point, DetachMount);
        if (MountsBelow(directories).FirstOrDefault() is { } stuck)
        {
            throw new ContainerException($"A mount that a broken restore left cannot be removed; run: umount -l {stuck}");
        }
    }

    private static IEnumerable<string> MountsBelow(params string[] directories) =>
        [.. Mount.Of("self").Select(mount => mount.MountPoint)
            .Where(point => directories.Any(directory => point.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal)))];

    /// <summary>Does this complaint say that there is no such container?</summary>
    protected virtual bool IsUnknown(string error) => error.Contains("does not exist", StringComparison.Ordinal);

    /// <summary>The runtime's own log of a command.</summary>
    public static string LogPath(string workDirectory, string log) => Path.Combine(workDirectory, $"runtime-{log}.log");

    private Task<ToolResult> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        string[] line = [.. CommandLine(arguments)];
        return Tool.RunAsync(line[0], line[1..], cancellationToken);
    }
}
