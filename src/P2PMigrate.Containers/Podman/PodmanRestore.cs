using System.Diagnostics;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// One <c>podman container restore</c>, up to the point where the container is complete and has not run yet. Podman creates the container anew, with our directory as its root file system, and finds its
/// images where it would itself have put them. Its monitor is the parent of what CRIU restores, and stays for as long as the container lives.
/// </summary>
internal sealed class PodmanRestore(PodmanTool podman, ILogger logger, RestoreRequest request)
{
    private const string LogName = "restore.log";

    private string Name => request.Container.Name;

    private string LogPath => Path.Combine(request.WorkDirectory, LogName);

    private string CriuConfigurationPath => Path.Combine(request.WorkDirectory, "criu-restore.conf");

    private PodmanConfiguration Configuration => PodmanConfiguration.TryParse(request.Container.Configuration.Span, out PodmanConfiguration? configuration)
        ? configuration : throw new ContainerException($"The source's configuration of {Name} is none of Podman's.");

    /// <summary>What Podman says while it restores.</summary>
    public static string ErrorsIn(string workDirectory) => Path.Combine(workDirectory, "podman-restore.log");

    /// <summary>Does ahead of time what needs neither images nor a frozen source.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await podman.VersionAsync(cancellationToken).ConfigureAwait(false);
        await KernelFacts.WarmAsync(podman.Criu, cancellationToken).ConfigureAwait(false);
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Restores and holds; when this throws, nothing of the container is left.</summary>
    public async Task<HeldContainer> RunAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        PodmanConfiguration configuration = Configuration;
        if (!BundleConfiguration.TryParse(configuration.PlainBundle, out BundleConfiguration? bundle)) throw new ContainerException($"The source's configuration of {Name} is none of runc's.");
        RestorePlan plan = await RestorePlan.MakeAsync(bundle.NetworkNamespacePath, cancellationToken).ConfigureAwait(false);
        var record = new RestoreRecord
        {
            Container = Name,
            BootId = WorkRecord.CurrentBootId,
            BundlePath = request.BundlePath,
            RootPath = request.RootPath,
            Cgroups = [],
            Links = plan.Links,
            NetworkNamespacePath = bundle.NetworkNamespacePath,
        };
        record.Save(request.WorkDirectory);
        RestoreHook? hook = null;
        DetachedProcess? process = null;
        try
        {
            await NetworkIsolation.DetachAsync(record.Links, staysUp: false, cancellationToken).ConfigureAwait(false);
            hook = RestoreHook.Create(request.WorkDirectory, bundle is { HasNetworkNamespace: true, NetworkNamespacePath: null });
            await File.WriteAllTextAsync(CriuConfigurationPath, CriuConfiguration.ForRestore(hook.ScriptPath), cancellationToken).ConfigureAwait(false);
            record = await CreateAsync(configuration, record, cancellationToken).ConfigureAwait(false);
            process = Start();
            await HoldAsync(hook, process, cancellationToken).ConfigureAwait(false);
            record = hook.Fence(record, podman);
        }
        catch
        {
            hook?.Dispose();
            process?.Dispose();
            await new RestoreLeftovers(podman, logger).RemoveAsync(request.WorkDirectory, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        logger.Held(Name, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return new HeldContainer(podman, logger, record, request.WorkDirectory, hook, process);
    }

    /// <summary>Asked before our record is there: from then on a container of that name is taken for ours.</summary>
    private async Task RequireFreeNameAsync(CancellationToken cancellationToken)
    {
        if (await podman.InspectAsync(Name, cancellationToken).ConfigureAwait(false) is not null)
        {
            throw new ContainerException($"A container named {Name} exists here already; remove it ({podman.RemovalCommand(Name)}) or rename it.");
        }

        if (await podman.FindInStorageAsync(Name, cancellationToken).ConfigureAwait(false) is { } other)
        {
            throw new ContainerException($"Something named {Name} is in Podman's storage here, as Buildah or a killed Podman leaves it; remove it (podman rm {other}) or rename it.");
        }
    }

    /// <summary>Has Podman create the container, and puts what it restores from where it looks for it. Its number names its cgroup.</summary>
    private async Task<RestoreRecord> CreateAsync(PodmanConfiguration configuration, RestoreRecord record, CancellationToken cancellationToken)
    {
        string id = await PodmanService.CreateAsync(podman.Options.Podman, request.WorkDirectory, configuration.CreationOf(Name, request.RootPath), cancellationToken).ConfigureAwait(false);
        PodmanContainer container = await podman.InspectAsync(Name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerException($"Podman does not know the container {Name} that it has created.");
        byte[] bundle = configuration.BundleOf(id, request.RootPath, CriuConfigurationPath);
        string? cgroups = BundleConfiguration.TryParse(bundle, out BundleConfiguration? parsed) ? parsed.CgroupsPath : null;
        RestoreRecord named = record with
        {
            Cgroups = [.. Cgroup.PlacesBelow((mount, own) => CgroupPlaces.Candidates(cgroups, id, mount, own)).Where(path => !Directory.Exists(path))],
        };
        named.Save(request.WorkDirectory);
        await File.WriteAllBytesAsync(Path.Combine(container.StaticDir, "config.json"), bundle, cancellationToken).ConfigureAwait(false);
        OwnedProcesses.AlsoIn(request.WorkDirectory, container.StaticDir);
        File.CreateSymbolicLink(Path.Combine(container.StaticDir, "checkpoint"), request.ImageDirectory);
        File.CreateSymbolicLink(Path.Combine(container.StaticDir, LogName), LogPath);
        return named;
    }

    private DetachedProcess Start() => DetachedProcess.Start(
        request.WorkDirectory,
        ["env", .. PodmanSurroundings.OfService.Prepend(OwnedProcesses.Variable).SelectMany(name => (string[])["-u", name]), "/bin/sh", "-c", "exec \"$@\" 2>\"$0\"", ErrorsIn(request.WorkDirectory), podman.Options.Podman, "container", "restore", "--tcp-established", "--file-locks", Name],
        PodmanSurroundings.Write(request.WorkDirectory, podman.Criu),
        piped: false);

    private async Task HoldAsync(RestoreHook hook, DetachedProcess process, CancellationToken cancellationToken)
    {
        if (await hook.HoldsAsync(process, cancellationToken).ConfigureAwait(false)) return;
        string because = CriuLog.Explain(LogPath) ?? podman.ComplaintOf(request.WorkDirectory, "restore") ?? "Podman gave no reason.";
        throw new ContainerException($"The container {Name} could not be restored. {because}", LogPath);
    }
}
