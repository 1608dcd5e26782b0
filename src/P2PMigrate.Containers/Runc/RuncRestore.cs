using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Runc;

/// <summary>
/// One <c>runc restore</c>, or <c>crun restore</c>, into a bundle, up to the point where the container is complete and has not run yet. Until it runs its
/// prepared network namespace is off the network: the address without the sockets would refuse its clients' connections.
/// </summary>
internal sealed class RuncRestore(RuncTool runc, ILogger logger, RestoreRequest request)
{
    private const string LogName = "restore.log";

    private string Name => request.Container.Name;

    private string LogPath => Path.Combine(request.WorkDirectory, LogName);

    private string PlanPath => Path.Combine(request.WorkDirectory, "restore-plan.json");

    private string RuntimeLogPath => RuncTool.LogPath(request.WorkDirectory, "restore");

    /// <summary>The number of the first process that a restore in this work directory made, or null.</summary>
    public static int? InitOf(string workDirectory)
    {
        string path = PidPathIn(workDirectory);
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out int pid) ? pid : null;
    }

    /// <summary>Does ahead of time what needs neither images nor a frozen source, and writes down what it found.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await runc.VersionAsync(cancellationToken).ConfigureAwait(false);
        await KernelFacts.WarmAsync(runc.Options.Criu, cancellationToken).ConfigureAwait(false);
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        RestorePlan plan = await RestorePlan.MakeAsync(Retarget().NetworkNamespacePath, cancellationToken).ConfigureAwait(false);
        WorkRecord.Save(PlanPath, plan, RuncJson.Default.RestorePlan);
    }

    /// <summary>Restores and holds; when this throws, nothing of the container is left.</summary>
    public async Task<HeldContainer> RunAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        RestorePlan? plan = WorkRecord.Load(PlanPath, RuncJson.Default.RestorePlan);
        if (plan is null || Directory.Exists(runc.StateDirectoryOf(Name))) await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        BundleConfiguration configuration = Retarget();
        if (plan?.IsCurrent(configuration.NetworkNamespacePath) != true)
        {
            plan = await RestorePlan.MakeAsync(configuration.NetworkNamespacePath, cancellationToken).ConfigureAwait(false);
        }

        var record = new RestoreRecord
        {
            Container = Name,
            BootId = WorkRecord.CurrentBootId,
            BundlePath = request.BundlePath,
            RootPath = request.RootPath,
            Cgroups = [.. Cgroup.PlacesBelow((mount, own) => CgroupPlaces.Candidates(configuration.CgroupsPath, Name, mount, own)).Where(path => !Directory.Exists(path))],
            Links = plan.Links,
            NetworkNamespacePath = configuration.NetworkNamespacePath,
        };
        record.Save(request.WorkDirectory);
        RestoreHook? hook = null;
        DetachedProcess? process = null;
        try
        {
            await NetworkIsolation.DetachAsync(record.Links, staysUp: false, cancellationToken).ConfigureAwait(false);
            hook = RestoreHook.Create(request.WorkDirectory, configuration is { HasNetworkNamespace: true, NetworkNamespacePath: null });
            process = await StartAsync(hook, configuration, cancellationToken).ConfigureAwait(false);
            await HoldAsync(hook, process, cancellationToken).ConfigureAwait(false);
            record = hook.Fence(record, runc);
        }
        catch
        {
            hook?.Dispose();
            process?.Dispose();
            await new RestoreLeftovers(runc, logger).RemoveAsync(request.WorkDirectory, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        logger.Held(Name, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return new HeldContainer(runc, logger, record, request.WorkDirectory, hook, process);
    }

    private static string PidPathIn(string workDirectory) => Path.Combine(workDirectory, "init.pid");

    /// <summary>Asked before our record is there: from then on a container of that name is taken for ours.</summary>
    private async Task RequireFreeNameAsync(CancellationToken cancellationToken)
    {
        if (await runc.StateAsync(Name, cancellationToken).ConfigureAwait(false) is not null)
        {
            throw new ContainerException($"A container named {Name} exists here already; remove it ({runc.RemovalCommand(Name)}) or rename it.");
        }
    }

    /// <summary>The source's configuration is kept but for the place of the root file system.</summary>
    private BundleConfiguration Retarget()
    {
        string path = Path.Combine(request.BundlePath, "config.json");
        if (!BundleConfiguration.TryParse(File.ReadAllBytes(path), out BundleConfiguration? configuration))
        {
            throw new ContainerException($"The source's configuration of {Name} is no JSON object.");
        }

        string? now = configuration.RootPath is { } root ? Path.GetFullPath(root, request.BundlePath) : null;
        if (now != Path.GetFullPath(request.RootPath)) File.WriteAllBytes(path, configuration.WithRootPath(request.RootPath));
        return configuration;
    }

    private async Task<DetachedProcess> StartAsync(RestoreHook hook, BundleConfiguration configuration, CancellationToken cancellationToken)
    {
        string criuConfiguration = Path.Combine(request.WorkDirectory, "criu-restore.conf");
        await File.WriteAllTextAsync(criuConfiguration, CriuConfiguration.ForRestore(hook.ScriptPath, runc.RestoreLines), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> versioned = await runc.RestoreOptionsAsync(ManagesCgroups, cancellationToken).ConfigureAwait(false);
        return DetachedProcess.Start(
            request.WorkDirectory,
            [
                .. runc.CommandLine("--log", RuntimeLogPath, "--log-format", "json"),
                .. configuration.UsesSystemdCgroups ? ["--systemd-cgroup"] : Array.Empty<string>(),
                "restore", "--detach", "--pid-file", PidPathIn(request.WorkDirectory), "--tcp-established", "--file-locks", .. versioned,
                "--bundle", request.BundlePath, "--image-path", request.ImageDirectory, "--work-path", request.WorkDirectory, Name,
            ],
            new Dictionary<string, string> { [CriuConfiguration.Variable] = criuConfiguration },
            piped: HasPipes());
    }

    /// <summary>A dump that kept no cgroups must not be told to restore them.</summary>
    private bool ManagesCgroups => File.Exists(Path.Combine(request.ImageDirectory, DumpMarks.CgroupsKept));

    /// <summary>The runtime wrote down what the container's standard streams were; pipes get new pipes.</summary>
    private bool HasPipes()
    {
        string path = Path.Combine(request.ImageDirectory, "descriptors.json");
        try
        {
            using JsonDocument streams = JsonDocument.Parse(File.ReadAllBytes(path));
            return streams.RootElement.ValueKind == JsonValueKind.Array
                && streams.RootElement.EnumerateArray().Any(stream => stream.ValueKind == JsonValueKind.String && stream.GetString()!.StartsWith("pipe:", StringComparison.Ordinal));
        }
        catch (Exception bad) when (bad is JsonException or FileNotFoundException)
        {
            throw new ContainerException($"The images are incomplete: descriptors.json, which {runc.Name} writes, is missing or damaged.", inner: bad);
        }
    }

    private async Task HoldAsync(RestoreHook hook, DetachedProcess process, CancellationToken cancellationToken)
    {
        if (await hook.HoldsAsync(process, cancellationToken).ConfigureAwait(false)) return;
        string because = CriuLog.Explain(LogPath) ?? runc.ComplaintOf(request.WorkDirectory, "restore") ?? $"{runc.Name} gave no reason.";
        throw new ContainerException($"The container {Name} could not be restored. {because}", LogPath);
    }
}
