using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// One <c>podman container restore</c>. Podman creates the container anew, with our directory as its root file system, and finds its images where it would itself have put them. Its monitor is the parent
/// of what CRIU restores, and stays for as long as the container lives.
/// </summary>
internal sealed class PodmanRestore(PodmanTool podman, ILogger logger, RestoreRequest request) : HeldRestore(podman, logger, request)
{
    private PodmanConfiguration? _configuration;

    private PodmanConfiguration Configuration => _configuration ??= PodmanConfiguration.TryParse(Request.Container.Configuration.Span, out PodmanConfiguration? configuration)
        ? configuration : throw new ContainerException($"The source's configuration of {Name} is none of Podman's.");

    /// <inheritdoc/>
    protected override IEnumerable<string> CriuLines => podman.RuntimeOf(Configuration.Runtime)?.RestoreLines ?? [];

    /// <summary>What Podman says while it restores.</summary>
    public static string ErrorsIn(string workDirectory) => Path.Combine(workDirectory, "podman-restore.log");

    /// <inheritdoc/>
    protected override async Task<(RestoreRecord Record, bool RaisesLoopback)> BeginAsync(CancellationToken cancellationToken)
    {
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        if (!BundleConfiguration.TryParse(Configuration.PlainBundle, out BundleConfiguration? bundle)) throw new ContainerException($"The source's configuration of {Name} is none of an OCI runtime's.");
        RestorePlan plan = await RestorePlan.MakeAsync(bundle.NetworkNamespacePath, cancellationToken).ConfigureAwait(false);
        return (NewRecord(cgroups: [], plan.Links, bundle.NetworkNamespacePath), bundle is { HasNetworkNamespace: true, NetworkNamespacePath: null });
    }

    /// <inheritdoc/>
    protected override async Task<(RestoreRecord Record, DetachedProcess Process)> StartAsync(RestoreRecord record, CancellationToken cancellationToken)
    {
        RestoreRecord named = await CreateAsync(Placed(), record, cancellationToken).ConfigureAwait(false);
        DetachedProcess process = DetachedProcess.Start(
            Request.WorkDirectory,
            [
                "env", .. PodmanSurroundings.OfService.Prepend(OwnedProcesses.Variable).SelectMany(name => (string[])["-u", name]), "/bin/sh", "-c", "exec \"$@\" 2>\"$0\"", ErrorsIn(Request.WorkDirectory),
                podman.Options.Podman, "container", "restore", "--tcp-established", "--file-locks", Name,
            ],
            PodmanSurroundings.Write(Request.WorkDirectory, podman.Criu),
            piped: false);
        return (named, process);
    }

    /// <inheritdoc/>
    protected override async Task RequireFreeNameAsync(CancellationToken cancellationToken)
    {
        await base.RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        if (await podman.FindInStorageAsync(Name, cancellationToken).ConfigureAwait(false) is not { } other) return;
        throw new ContainerException($"Something named {Name} is in Podman's storage here, as Buildah or a killed Podman leaves it; remove it (podman rm {other}) or rename it.");
    }

    private PodmanConfiguration Placed() => PlacedVolumes.In(Configuration, Request.RootPath) is { } text && PodmanConfiguration.TryParse(text, out PodmanConfiguration? placed) ? placed : Configuration;

    /// <summary>Has Podman create the container, and puts what it restores from where it looks for it. Its number names its cgroup.</summary>
    private async Task<RestoreRecord> CreateAsync(PodmanConfiguration configuration, RestoreRecord record, CancellationToken cancellationToken)
    {
        string id = await PodmanService.CreateAsync(podman.Options.Podman, configuration.Runtime, Request.WorkDirectory, configuration.CreationOf(Name, Request.RootPath), cancellationToken).ConfigureAwait(false);
        PodmanContainer container = await podman.InspectAsync(Name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerException($"Podman does not know the container {Name} that it has created.");
        byte[] bundle = configuration.BundleOf(id, Request.RootPath, CriuConfigurationPath);
        string? cgroups = BundleConfiguration.TryParse(bundle, out BundleConfiguration? parsed) ? parsed.CgroupsPath : null;
        RestoreRecord named = NewRecord(Cgroup.PlacesBelow((mount, own) => CgroupPlaces.Candidates(cgroups, id, mount, own)), record.Links, record.NetworkNamespacePath);
        named.Save(Request.WorkDirectory);
        await File.WriteAllBytesAsync(Path.Combine(container.StaticDir, "config.json"), bundle, cancellationToken).ConfigureAwait(false);
        OwnedProcesses.AlsoIn(Request.WorkDirectory, container.StaticDir);
        File.CreateSymbolicLink(Path.Combine(container.StaticDir, "checkpoint"), Request.ImageDirectory);
        File.CreateSymbolicLink(Path.Combine(container.StaticDir, Path.GetFileName(LogPath)), LogPath);
        return named;
    }
}
