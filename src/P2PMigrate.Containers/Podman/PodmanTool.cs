using System.Text.Json;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Crun;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// The questions and small commands that go to podman, and to the runc or crun below it, which knows a container by Podman's long number. A dump is that one's own: Podman's would write everything into
/// an archive and stop the container.
/// </summary>
// spec: MIG-182
internal sealed class PodmanTool(PodmanOptions options) : IRuntimeProgram
{
    private const string Storage = "/var/lib/containers/storage", StorageElsewhere = "/etc/containers/storage.conf";
    private const string CgroupPrefix = "libpod-", MonitorPrefix = "libpod-conmon-";
    private static readonly ToolVersion s_first = new(5, 0);
    private static readonly string[] s_unknown = ["no such", "not found", "more than one result"]; // the latter of numbers that begin like the name

    private readonly RuncTool[] _runtimes = [new RuncTool(new RuncOptions { Criu = options.Criu }), new CrunTool(new CrunOptions { Criu = options.Criu })];
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
    public string? ComplaintOf(string workDirectory, string log) => log == "restore"
        ? LastError(PodmanRestore.ErrorsIn(workDirectory)) : Below(FenceRecord.Load(workDirectory)?.Created).ComplaintOf(workDirectory, log);

    /// <summary>The runtime of this name, or at this path, below Podman; null for one whose containers cannot be moved.</summary>
    public RuncTool? RuntimeOf(string name) => _runtimes.FirstOrDefault(runtime => runtime.Name == Path.GetFileName(name));

    /// <summary>The container of exactly this name, or null.</summary>
    public async Task<PodmanContainer?> InspectAsync(string name, CancellationToken cancellationToken)
    {
        if (!HasStorage) return null;
        ToolResult result = await RunAsync(["container", "inspect", name], cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded && s_unknown.Any(words => result.Error.Contains(words, StringComparison.OrdinalIgnoreCase))) return null;
        string text = result.Require($"ask Podman about the container {name}").Output;
        return JsonSerializer.Deserialize(text, PodmanJson.Default.PodmanContainerArray)?.FirstOrDefault(container => container.Name == name); // the beginning of a number is enough for Podman
    }

    /// <summary>The number of something that has exactly this name in Podman's storage, and is no container of Podman's: what is left when it is killed as it creates one. Null when there is nothing.</summary>
    public async Task<string?> FindInStorageAsync(string name, CancellationToken cancellationToken)
    {
        if (!HasStorage) return null;
        ToolResult result = await RunAsync(["ps", "--all", "--external", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Status}}"], cancellationToken).ConfigureAwait(false);
        IEnumerable<string[]> lines = result.Require("ask Podman what its storage has").Output.Split('\n').Select(line => line.Split(' '));
        return lines.FirstOrDefault(words => words is [_, var known, "Storage", ..] && known == name)?[0];
    }

    /// <summary>What Podman would have to be told to create the same container, as JSON.</summary>
    public async Task<string> CreationOfAsync(PodmanContainer container, CancellationToken cancellationToken) =>
        (await RunAsync(["generate", "spec", container.Id], cancellationToken).ConfigureAwait(false)).Require($"ask Podman how {container.Name} was created").Output;

    /// <summary>Does it know a <c>container</c>, or <c>image</c>, of this number?</summary>
    public async Task<bool> HasAsync(string kind, string id, CancellationToken cancellationToken) => (await RunAsync([kind, "exists", "--", id], cancellationToken).ConfigureAwait(false)).Succeeded;

    /// <summary>Has Podman run the container of one of its archives, out of reach of our terminal and of systemd's service that we may be. Throws <see cref="ContainerException"/> with its own words.</summary>
    public async Task ImportAsync(string path)
    {
        string[] apart = ["--wait", "env", .. PodmanSurroundings.OfService.SelectMany(name => (string[])["-u", name]), options.Podman];
        ToolResult result = await Tool.RunAsync("setsid", [.. apart, "container", "restore", "--import", path, "--tcp-established", "--file-locks"], CancellationToken.None, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        if (!result.Succeeded) throw new ContainerException($"Podman could not restore the archive. It says: {result.Error.Trim()}");
    }

    /// <summary>Removes what a failed <see cref="ImportAsync"/> has left: the container of exactly this name and number, and volumes that were not there before.</summary>
    public async Task ForgetImportAsync(string name, string id, IEnumerable<string> volumes)
    {
        if ((await InspectAsync(name, CancellationToken.None).ConfigureAwait(false))?.Id == id) await ForgetAsync(name, CancellationToken.None).ConfigureAwait(false);
        if (await FindInStorageAsync(name, CancellationToken.None).ConfigureAwait(false) == id)
            (await RunAsync(["rm", "--force", id], CancellationToken.None).ConfigureAwait(false)).Require($"remove what is left of the container {name} from Podman's storage");
        foreach (string volume in volumes)
        {
            if (await HasAsync("volume", volume, CancellationToken.None).ConfigureAwait(false)) (await RunAsync(["volume", "rm", "--", volume], CancellationToken.None).ConfigureAwait(false)).Require($"remove the volume {volume}");
        }
    }

    /// <summary>The names of containers that need this one: Podman would not remove it beside them.</summary>
    public async Task<IReadOnlyList<string>> DependentsOfAsync(string id, CancellationToken cancellationToken)
    {
        string[] all = (await RunAsync(["ps", "--all", "--quiet", "--no-trunc"], cancellationToken).ConfigureAwait(false)).Require("ask Podman for its containers").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (all.Length < 2) return [];
        ToolResult result = await RunAsync(["container", "inspect", .. all], cancellationToken).ConfigureAwait(false); // says what it knows also where one is gone meanwhile
        if (string.IsNullOrWhiteSpace(result.Output)) result.Require("ask Podman about its containers");
        return [.. (JsonSerializer.Deserialize(result.Output, PodmanJson.Default.PodmanContainerArray) ?? []).Where(other => other.Dependencies?.Contains(id) == true).Select(other => other.Name)];
    }

    /// <summary>A network that Podman makes, or null when it knows none of this name.</summary>
    public async Task<PodmanNetwork?> NetworkAsync(string name, CancellationToken cancellationToken)
    {
        ToolResult result = await RunAsync(["network", "inspect", "--", name], cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded && s_unknown.Any(words => result.Error.Contains(words, StringComparison.OrdinalIgnoreCase))) return null;
        return JsonSerializer.Deserialize(result.Require($"ask Podman about the network {name}").Output, PodmanJson.Default.PodmanNetworkArray)?.FirstOrDefault(network => network.Name == name);
    }

    /// <summary>Who makes cgroups for Podman here: <c>systemd</c> or <c>cgroupfs</c>.</summary>
    public async Task<string> CgroupManagerAsync(CancellationToken cancellationToken) =>
        (await RunAsync(["info", "--format", "{{.Host.CgroupManager}}"], cancellationToken).ConfigureAwait(false)).Require("ask Podman who makes its cgroups").Output.Trim();

    /// <inheritdoc/>
    public async Task<KnownContainer?> FindAsync(string name, CancellationToken cancellationToken) =>
        await InspectAsync(name, cancellationToken).ConfigureAwait(false) is { } container ? StateOf(container) : null;

    /// <summary>The same of a container that Podman was asked about.</summary>
    public KnownContainer StateOf(PodmanContainer container)
    {
        string status = container.State.Status == KnownContainer.Running ? KnownContainer.RunningOrPaused(this, container.Name, container.State.Pid) : container.State.Status;
        return new KnownContainer(status, container.State.Pid, container.Id, BundleOf(container));
    }

    /// <summary>Where the files of a container are: beside its root file system, or, when that is made of an image, Podman's own directory.</summary>
    private static string BundleOf(PodmanContainer container) => container.Rootfs.Length > 0 ? Path.GetDirectoryName(container.Rootfs) ?? "/" : container.StaticDir;

    /// <inheritdoc/>
    public Cgroup CgroupOf(string name, int init) =>
        Cgroup.Of(init, leaf => leaf.StartsWith(CgroupPrefix, StringComparison.Ordinal) && !leaf.StartsWith(MonitorPrefix, StringComparison.Ordinal));

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> DumpOptionsAsync(FenceRecord fence, bool keepsCgroups, CancellationToken cancellationToken) =>
        Below(fence.Created).DumpOptionsAsync(fence, keepsCgroups: true, cancellationToken); // Podman gives runc no word about cgroups at a restore, so they must be in the images

    /// <inheritdoc/>
    public IEnumerable<string> DumpCommand(FenceRecord fence, string imageDirectory, string workDirectory, IMemoryDelivery memory, IReadOnlyList<string> options) =>
        Below(fence.Created).DumpCommand(fence with { Container = fence.Created }, imageDirectory, workDirectory, memory, options);

    /// <inheritdoc/>
    public IEnumerable<string> DumpLines(FenceRecord fence, IMemoryDelivery memory) => Below(fence.Created).DumpLines(fence, memory);

    /// <inheritdoc/>
    // spec: MIG-183
    public string? Loses(FenceRecord fence) => InSharedMemory(fence.Created) is { } file
        ? $"/dev/shm/{file} is in a file system that Podman makes for {fence.Container}, and does not move." : null;

    /// <summary>The name of something in the shared memory that Podman has mounted for the container of this number; null when that is empty, or there is none.</summary>
    public static string? InSharedMemory(string id)
    {
        try
        {
            return Mount.Of("self").FirstOrDefault(mount => mount.MountPoint.EndsWith($"/{id}/userdata/shm", StringComparison.Ordinal)) is { } shared
                ? Directory.EnumerateFileSystemEntries(shared.MountPoint).Select(Path.GetFileName).FirstOrDefault() : null;
        }
        catch (IOException gone)
        {
            throw new ContainerException($"The shared memory of the container cannot be looked into: {gone.Message}", inner: gone);
        }
    }

    /// <inheritdoc/>
    public Task SettleAsync(string workDirectory, CancellationToken cancellationToken) =>
        OwnedProcesses.WaitForEndAsync(workDirectory, CheckpointTimers.Kill, cancellationToken, PodmanSurroundings.Variable);

    /// <summary>By its number: what is no name, Podman takes for the beginning of somebody else's number. Of a container made of an image, the layer with what it had written goes too.</summary>
    public async Task ForgetAsync(string name, CancellationToken cancellationToken)
    {
        if (await InspectAsync(name, cancellationToken).ConfigureAwait(false) is not { } container) return;
        (await RunAsync(["rm", "--force", "--ignore", "--time", "0", container.Id], cancellationToken).ConfigureAwait(false)).Require($"remove the container {name} from Podman");
    }

    /// <inheritdoc/>
    public async Task ForgetRestoreAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken)
    {
        foreach (ProcessIdentity process in OwnedProcesses.Find(workDirectory, PodmanSurroundings.Variable)) process.Kill();

        // Podman does not think of what a killed runtime has left of a container that never came to run, and would walk through its mounts. The runtime works in Podman's own directory.
        if (await InspectAsync(record.Container, cancellationToken).ConfigureAwait(false) is { } container && Directory.Exists(container.StaticDir) && RuntimeOf(container.Runtime) is { } runtime && Tool.Exists(runtime.Program))
            await runtime.ForgetRestoreAsync(record with { Container = container.Id, BundlePath = container.StaticDir }, container.StaticDir, cancellationToken).ConfigureAwait(false);
        await ForgetAsync(record.Container, cancellationToken).ConfigureAwait(false);
        if (await FindInStorageAsync(record.Container, cancellationToken).ConfigureAwait(false) is { } left)
            (await RunAsync(["rm", "--force", left], cancellationToken).ConfigureAwait(false)).Require($"remove what is left of the container {record.Container} from Podman's storage");
    }

    /// <inheritdoc/>
    public IReadOnlyList<Finding> CheckInstallation()
    {
        string[] here = [.. _runtimes.Where(runtime => Tool.Exists(runtime.Program)).Select(runtime => runtime.Name)];
        return
        [
            here.Length > 0 ? new Finding(FindingSeverity.Good, "runtime", $"{string.Join(" and ", here)}, by which Podman runs what can move, {(here.Length > 1 ? "are" : "is")} here.", Remedy: null)
                : new Finding(FindingSeverity.Blocker, "runtime", "Neither runc nor crun is here; Podman runs by one of them what can move.", "apt-get install crun"),
        ];
    }

    /// <inheritdoc/>
    public async Task<ToolVersion> VersionAsync(CancellationToken cancellationToken) => _podman ??= await ToolVersion.AskAsync(options.Podman, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken) => _runtimes[0].CriuVersionAsync(cancellationToken);

    /// <summary>To be asked, Podman would make its storage where there is none, and mounts.</summary>
    private static bool HasStorage => Directory.Exists(Storage) || File.Exists(StorageElsewhere);

    /// <summary>The runtime that has the running container of this number; runc when none has.</summary>
    private RuncTool Below(string? id) => _runtimes.FirstOrDefault(runtime => id is not null && runtime.HasRemainsOf(id)) ?? _runtimes[0];

    private static string? LastError(string path)
    {
        const string mark = "Error: ";
        return File.Exists(path) && File.ReadLines(path).LastOrDefault(line => line.StartsWith(mark, StringComparison.Ordinal)) is { } line ? $"Podman says: {line[mark.Length..]}." : null;
    }

    private Task<ToolResult> RunAsync(string[] arguments, CancellationToken cancellationToken) => Tool.RunAsync(options.Podman, arguments, cancellationToken);
}
