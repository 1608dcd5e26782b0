using System.Diagnostics;
using System.Globalization;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// The questions and small commands that go to LXC's programs and to criu. A dump is CRIU's own: <c>lxc-checkpoint</c> cannot dump a container that it has restored before.
/// </summary>
internal sealed class LxcTool(LxcOptions options) : IRuntimeProgram
{
    private const string ConfigurationName = "config";
    private const string MovedName = "config.moved";
    private const string PayloadPrefix = "lxc.payload.";
    private static readonly ToolVersion s_first = new(6, 0);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    private ToolVersion? _lxc;
    private ToolVersion? _criu;
    private string? _containersPath;

    public LxcOptions Options => options;

    /// <inheritdoc/>
    public string Name => "lxc";

    /// <inheritdoc/>
    public string Criu => options.Criu;

    /// <inheritdoc/>
    public string AttachCommand => "lxc-attach";

    /// <inheritdoc/>
    public bool DumpsNetwork => true;

    /// <inheritdoc/>
    public ToolVersion VersionMin => s_first;

    /// <inheritdoc/>
    public bool HasRemainsOf(string name) => false;

    /// <inheritdoc/>
    public string RemovalCommand(string name) => $"lxc-destroy {name}";

    /// <inheritdoc/>
    public string StartCommand(string name, string bundle) => $"lxc-start {name}";

    /// <inheritdoc/>
    public string KillCommand(string name) => $"lxc-stop -k {name}";

    /// <inheritdoc/>
    public int? RestoredInit(string workDirectory) => null;

    /// <inheritdoc/>
    public string? ComplaintOf(string workDirectory, string log) => LxcLog.LastError(Path.Combine(workDirectory, $"lxc-{log}.log"));

    /// <summary>Where the configuration of a container of this name is, or would be.</summary>
    public async Task<string> ConfigurationPathAsync(string name, CancellationToken cancellationToken) =>
        Path.Combine(await ContainersPathAsync(cancellationToken).ConfigureAwait(false), name, ConfigurationName);

    /// <summary>A setting of a container that runs, as LXC itself uses it; empty when it has none.</summary>
    public async Task<string> SettingAsync(string name, string key, CancellationToken cancellationToken)
    {
        ToolResult result = await RunAsync("lxc-info", name, ["-c", key], cancellationToken).ConfigureAwait(false);
        string line = result.Require($"ask LXC for {key} of {name}").Output.Trim();
        int equals = line.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? "" : line[(equals + 1)..].Trim();
    }

    /// <summary>The root file system of a container, as it is configured; without the word for its kind.</summary>
    public async Task<string> RootPathAsync(string name, CancellationToken cancellationToken)
    {
        string path = await SettingAsync(name, "lxc.rootfs.path", cancellationToken).ConfigureAwait(false);
        return path.StartsWith("dir:", StringComparison.Ordinal) ? path["dir:".Length..] : path;
    }

    /// <inheritdoc/>
    public async Task<KnownContainer?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var configuration = new FileInfo(await ConfigurationPathAsync(name, cancellationToken).ConfigureAwait(false));
        if (!configuration.Exists) return null;
        string created = string.Create(CultureInfo.InvariantCulture, $"{configuration.LastWriteTimeUtc.Ticks}");
        string bundle = Path.GetDirectoryName(await RootPathAsync(name, cancellationToken).ConfigureAwait(false)) ?? "/";
        ToolResult result = await RunAsync("lxc-info", name, ["-s", "-p"], cancellationToken).ConfigureAwait(false);
        string[] lines = result.Require($"ask LXC about the container {name}").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] words = [.. lines.Select(line => line[(line.LastIndexOf(':') + 1)..].Trim()).Where(word => word.Length > 0)]; // "State:  RUNNING", "PID:  59"
        int pid = words.Select(word => int.TryParse(word, CultureInfo.InvariantCulture, out int number) ? number : 0).Max();
        string status = words.FirstOrDefault(word => !char.IsAsciiDigit(word[0])) switch
        {
            "RUNNING" => KnownContainer.RunningOrPaused(this, name, pid),
            "FROZEN" => KnownContainer.Paused,
            var other => (other ?? "unknown").ToLowerInvariant(),
        };
        return new KnownContainer(status, Math.Max(pid, 0), created, bundle);
    }

    /// <summary>LXC names it after the container; where that name is taken, a number is behind it.</summary>
    public Cgroup CgroupOf(string name, int init) => Cgroup.Of(init, leaf => leaf.StartsWith(PayloadPrefix + name, StringComparison.Ordinal) && IsNumberOrNothing(leaf.AsSpan(PayloadPrefix.Length + name.Length)));

    private static bool IsNumberOrNothing(ReadOnlySpan<char> rest) => rest.IsEmpty || (rest[0] == '-' && rest.Length > 1 && !rest[1..].ContainsAnyExceptInRange('0', '9'));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken)
    {
        string text = await SettingAsync(fence.Container, "lxc.mount.entry", cancellationToken).ConfigureAwait(false);
        IEnumerable<BindMount> mounts = text.Split('\n').Select(LxcMount.Parse).OfType<BindMount>();
        return [.. mounts.SelectMany(mount => (string[])["--ext-mount-map", $"/{mount.Destination}:{mount.Destination}"])];
    }

    /// <inheritdoc/>
    public IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options) =>
    [
        CriuShield.ProgramIn(workDirectory), "dump", "--tree", fence.InitPid.ToString(CultureInfo.InvariantCulture), "--images-dir", imageDirectory, "--work-dir", workDirectory, "--log-file", "dump.log", "-v4",
        "--leave-running", "--tcp-established", "--file-locks", "--link-remap", "--skip-in-flight", "--force-irmap",
        "--manage-cgroups=full", "--cgroup-root", ":" + (new Cgroup(fence.CgroupPath).InHierarchy ?? throw new ContainerException($"The container's cgroup {fence.CgroupPath} is not visible here any more.")), "--freeze-cgroup", fence.CgroupPath,
        "--ext-mount-map", "auto", "--enable-external-sharing", "--enable-external-masters", "--enable-fs", "hugetlbfs", "--enable-fs", "tracefs",
        .. options, .. memory.DirectOptions,
    ];

    /// <inheritdoc/>
    public Task SettleAsync(string workDirectory, CancellationToken cancellationToken) =>
        OwnedProcesses.WaitForEndAsync(workDirectory, CheckpointTimers.Kill, cancellationToken, LxcRestore.Variable);

    /// <inheritdoc/>
    public async Task ForgetAsync(string name, CancellationToken cancellationToken)
    {
        string path = await ConfigurationPathAsync(name, cancellationToken).ConfigureAwait(false);
        if (!File.Exists(path)) return;
        if (!await WaitUntilStoppedAsync(name, cancellationToken).ConfigureAwait(false))
        {
            throw new ContainerException($"LXC does not notice the end of the container {name}; its monitor may hang. To end it, type: lxc-stop -k {name}");
        }

        if (LxcPlacement.IsOurs(path)) LxcPlacement.Remove(path);
        else File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, MovedName), overwrite: true);
    }

    /// <inheritdoc/>
    public async Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken)
    {
        foreach (ProcessIdentity process in OwnedProcesses.Find(workDirectory, LxcRestore.Variable)) process.Kill();
        string path = await ConfigurationPathAsync(record.Container, cancellationToken).ConfigureAwait(false);
        LxcPlacement.Undo(path);
    }

    /// <inheritdoc/>
    public async Task<ToolVersion> VersionAsync(CancellationToken cancellationToken) =>
        _lxc ??= await ToolVersion.AskAsync("lxc-info", cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken) =>
        _criu ??= await ToolVersion.AskAsync(options.Criu, cancellationToken).ConfigureAwait(false);

    /// <summary>Is LXC on this machine?</summary>
    public static bool IsInstalled => Tool.Exists("lxc-info") && Tool.Exists("lxc-checkpoint");

    private async Task<string> ContainersPathAsync(CancellationToken cancellationToken) => _containersPath ??= options.ContainersPath
        ?? (await Tool.RunAsync("lxc-config", ["lxc.lxcpath"], cancellationToken).ConfigureAwait(false)).Require("ask LXC for the directory of its containers").Output.Trim();

    private Task<ToolResult> RunAsync(string program, string name, string[] arguments, CancellationToken cancellationToken) => Tool.RunAsync(
        program, ["-n", name, .. options.ContainersPath is { } path ? ["-P", path] : Array.Empty<string>(), .. arguments], cancellationToken);

    /// <summary>The monitor notices the end of a container by itself, takes its cgroups away and ends.</summary>
    private async Task<bool> WaitUntilStoppedAsync(string name, CancellationToken cancellationToken)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < CheckpointTimers.Kill; await Task.Delay(s_look, cancellationToken).ConfigureAwait(false))
        {
            if (await FindAsync(name, cancellationToken).ConfigureAwait(false) is null or { Status: "stopped" }) return true;
        }

        return false;
    }
}
