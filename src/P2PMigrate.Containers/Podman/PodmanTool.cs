using System.Globalization;
using System.Text.Json;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// The questions and small commands that go to podman, and to the runc below it, which knows a container by Podman's long number. A dump is runc's own: Podman's would write everything into an archive
/// and stop the container.
/// </summary>
// spec: MIG-182
internal sealed class PodmanTool(PodmanOptions options) : IRuntimeProgram
{
    /// <summary>The runtime below Podman whose containers can be moved.</summary>
    public const string OciRuntime = "runc";

    private const string CgroupPrefix = "libpod-", MonitorPrefix = "libpod-conmon-";
    private static readonly ToolVersion s_first = new(5, 0);

    private readonly RuncTool _runc = new(new RuncOptions { Criu = options.Criu });
    private ToolVersion? _podman;

    public PodmanOptions Options => options;

    /// <inheritdoc/>
    public string Name => "podman";

    /// <inheritdoc/>
    public string Criu => options.Criu;

    /// <inheritdoc/>
    public string AttachCommand => "podman exec";

    /// <inheritdoc/>
    public bool DumpsNetwork => false;

    /// <inheritdoc/>
    public ToolVersion VersionMin => s_first;

    /// <inheritdoc/>
    public bool HasRemainsOf(string name) => false;

    /// <inheritdoc/>
    public string RemovalCommand(string name) => $"podman rm {name}";

    /// <inheritdoc/>
    public string StartCommand(string name, string bundle) => $"podman start {name}";

    /// <inheritdoc/>
    public string KillCommand(string name) => $"podman kill {name}";

    /// <inheritdoc/>
    public int? RestoredInit(string workDirectory) => RestoreHook.InitOf(workDirectory);

    /// <inheritdoc/>
    public string? ComplaintOf(string workDirectory, string log) => log == "restore" ? LastError(PodmanRestore.ErrorsIn(workDirectory)) : _runc.ComplaintOf(workDirectory, log);

    /// <summary>The container of exactly this name, or null.</summary>
    public async Task<PodmanContainer?> InspectAsync(string name, CancellationToken cancellationToken)
    {
        ToolResult result = await RunAsync(["container", "inspect", name], cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded && result.Error.Contains("no such", StringComparison.OrdinalIgnoreCase)) return null;
        string text = result.Require($"ask Podman about the container {name}").Output;
        return JsonSerializer.Deserialize(text, PodmanJson.Default.PodmanContainerArray)?.FirstOrDefault(container => container.Name == name); // the beginning of a number is enough for Podman
    }

    /// <summary>What Podman would have to be told to create the same container, as JSON.</summary>
    public async Task<string> CreationOfAsync(string name, CancellationToken cancellationToken) =>
        (await RunAsync(["generate", "spec", name], cancellationToken).ConfigureAwait(false)).Require($"ask Podman how {name} was created").Output;

    /// <inheritdoc/>
    public async Task<KnownContainer?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (await InspectAsync(name, cancellationToken).ConfigureAwait(false) is not { } container) return null;
        string status = container.State.Status == KnownContainer.Running && IsFrozen(name, container.State.Pid) ? KnownContainer.Paused : container.State.Status;
        return new KnownContainer(status, container.State.Pid, container.Id, BundleOf(container));
    }

    /// <summary>Where the files of a container are: beside its root file system, or, when that is made of an image, Podman's own directory.</summary>
    public static string BundleOf(PodmanContainer container) => container.Rootfs.Length > 0 ? Path.GetDirectoryName(container.Rootfs) ?? "/" : container.StaticDir;

    /// <inheritdoc/>
    public Cgroup CgroupOf(string name, int init) =>
        Cgroup.Of(init, leaf => leaf.StartsWith(CgroupPrefix, StringComparison.Ordinal) && !leaf.StartsWith(MonitorPrefix, StringComparison.Ordinal));

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken) =>
        _runc.DumpOptionsAsync(fence, keepsCgroups: true, cancellationToken); // Podman gives runc no word about cgroups at a restore, so they must be in the images

    /// <inheritdoc/>
    public IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options) =>
        _runc.DumpCommand(fence with { Container = fence.Created }, imageDirectory, workDirectory, memory, options);

    /// <inheritdoc/>
    // spec: MIG-183
    public string? Loses(FenceRecord fence) => InSharedMemory(fence.InitPid) is { } file
        ? $"/dev/shm/{file} is in a file system that Podman makes for {fence.Container}, and does not move." : null;

    /// <summary>The name of something in the shared memory that Podman mounts for a container; null when that is empty.</summary>
    public static string? InSharedMemory(int init)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"/proc/{init}/root/dev/shm");
        return Directory.Exists(place) ? Directory.EnumerateFileSystemEntries(place).Select(Path.GetFileName).FirstOrDefault() : null;
    }

    /// <summary>Podman is told to, so that it knows whose end it was, and does not start the container again.</summary>
    public async Task ForgetAsync(string name, CancellationToken cancellationToken) =>
        (await RunAsync(["rm", "--force", "--ignore", "--time", "0", name], cancellationToken).ConfigureAwait(false)).Require($"remove the container {name} from Podman");

    /// <inheritdoc/>
    public async Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken)
    {
        // Podman does not think of what a killed runc has left of a container that never came to run.
        if (await InspectAsync(record.Container, cancellationToken).ConfigureAwait(false) is { } container)
            await _runc.ForgetRestoreAsync(record with { Container = container.Id }, workDirectory, cancellationToken).ConfigureAwait(false);
        await ForgetAsync(record.Container, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Finding> CheckInstallation()
    {
        bool hasRunc = Tool.Exists(_runc.Options.Runc);
        return
        [
            new Finding(
                hasRunc ? FindingSeverity.Good : FindingSeverity.Blocker, "runc", hasRunc ? "runc, by which Podman runs what can move, is here." : "runc, by which Podman runs what can move, is not here.",
                hasRunc ? null : "apt-get install runc"),
        ];
    }

    /// <inheritdoc/>
    public async Task<ToolVersion> VersionAsync(CancellationToken cancellationToken) => _podman ??= await ToolVersion.AskAsync(options.Podman, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken) => _runc.CriuVersionAsync(cancellationToken);

    private static string? LastError(string path)
    {
        const string mark = "Error: ";
        return File.Exists(path) && File.ReadLines(path).LastOrDefault(line => line.StartsWith(mark, StringComparison.Ordinal)) is { } line ? $"Podman says: {line[mark.Length..]}." : null;
    }

    /// <summary>Podman does not look whether somebody else has frozen the cgroup.</summary>
    private bool IsFrozen(string name, int pid)
    {
        try
        {
            return pid > 0 && CgroupOf(name, pid).IsFrozen;
        }
        catch (Exception gone) when (gone is IOException or ContainerException)
        {
            return false;
        }
    }

    private Task<ToolResult> RunAsync(string[] arguments, CancellationToken cancellationToken) => Tool.RunAsync(options.Podman, arguments, cancellationToken);
}
