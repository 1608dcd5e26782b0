using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// One <c>lxc-checkpoint -r</c>, up to the point where the container is complete and has not run yet. LXC's monitor is the parent of what CRIU restores and stays for as long as the
/// container lives. CRIU puts the container's interfaces on their bridges only after it was released.
/// </summary>
internal sealed class LxcRestore(LxcTool lxc, ILogger logger, RestoreRequest request)
{
    /// <summary>Names the work directory in the environment of LXC's own processes, which outlive the restore; see <see cref="OwnedProcesses.Variable"/> for those that do not.</summary>
    public const string Variable = "P2PMIGRATE_LXC_WORK";

    private const string LogName = "restore.log";
    private const int NumbersTried = 3;

    private string Name => request.Container.Name;

    private string LogPath => Path.Combine(request.WorkDirectory, LogName);

    /// <summary>Does ahead of time what needs neither images nor a frozen source.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await KernelFacts.WarmAsync(lxc.Criu, cancellationToken).ConfigureAwait(false);
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Restores and holds; when this throws, nothing of the container is left.</summary>
    public async Task<HeldContainer> RunAsync(CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        string placement = await lxc.ConfigurationPathAsync(Name, cancellationToken).ConfigureAwait(false);
        LxcConfiguration configuration = LxcConfiguration.Parse(request.Container.Configuration.Span)
            ?? throw new ContainerException($"The source's configuration of {Name} is no text.");
        var record = new RestoreRecord
        {
            Container = Name,
            BootId = WorkRecord.CurrentBootId,
            BundlePath = request.BundlePath,
            RootPath = request.RootPath,
            Cgroups = [.. CgroupPlacesOf("lxc.payload."), .. CgroupPlacesOf("lxc.monitor.")],
        };
        record.Save(request.WorkDirectory);
        RestoreHook? hook = null;
        DetachedProcess? process = null;
        try
        {
            LxcPlacement.Write(placement, configuration, request.RootPath);
            hook = RestoreHook.Create(request.WorkDirectory, raiseLoopback: false);
            process = Start(hook);
            await HoldAsync(hook, process, cancellationToken).ConfigureAwait(false);
            record = hook.Fence(record, lxc);
        }
        catch
        {
            hook?.Dispose();
            process?.Dispose();
            await new RestoreLeftovers(lxc, logger).RemoveAsync(request.WorkDirectory, CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        logger.Held(Name, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return new HeldContainer(lxc, logger, record, request.WorkDirectory, hook, process);
    }

    /// <summary>LXC makes its cgroups beside its own, or at the root; where the name is taken, with a number behind it.</summary>
    private IEnumerable<string> CgroupPlacesOf(string prefix) =>
        from leaf in (string[])[prefix + Name, .. Enumerable.Range(1, NumbersTried).Select(number => string.Create(CultureInfo.InvariantCulture, $"{prefix}{Name}-{number}"))]
        from path in Cgroup.PlacesBelow((mount, own) => CgroupPlaces.Candidates(leaf, leaf, mount, own))
        where !Directory.Exists(path)
        select path;

    /// <summary>Asked before our record is there: from then on a container of that name is taken for ours.</summary>
    private async Task RequireFreeNameAsync(CancellationToken cancellationToken)
    {
        if (await lxc.FindAsync(Name, cancellationToken).ConfigureAwait(false) is not null)
        {
            throw new ContainerException($"A container named {Name} exists here already; remove it ({lxc.RemovalCommand(Name)}) or rename it.");
        }
    }

    /// <summary>LXC starts the first program called criu on PATH, which is a stand-in of ours.</summary>
    private DetachedProcess Start(RestoreHook hook)
    {
        string configuration = Path.Combine(request.WorkDirectory, "criu-restore.conf");
        File.WriteAllText(configuration, CriuConfiguration.ForRestore(hook.ScriptPath));
        string programs = CriuStandIn.Write(request.WorkDirectory, lxc.Criu, configuration);
        string[] place = lxc.Options.ContainersPath is { } path ? ["-P", path] : [];
        return DetachedProcess.Start(
            request.WorkDirectory,
            [
                "env", "-u", OwnedProcesses.Variable, "lxc-checkpoint", "-n", Name, .. place, "-r", "-D", request.ImageDirectory,
                "-o", Path.Combine(request.WorkDirectory, "lxc-restore.log"), "-l", "INFO",
            ],
            new Dictionary<string, string> { [Variable] = request.WorkDirectory, ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}" },
            piped: false);
    }

    private async Task HoldAsync(RestoreHook hook, DetachedProcess process, CancellationToken cancellationToken)
    {
        if (await hook.HoldsAsync(process, cancellationToken).ConfigureAwait(false)) return;
        string because = CriuLog.Explain(LogPath) ?? lxc.ComplaintOf(request.WorkDirectory, "restore") ?? "LXC gave no reason.";
        throw new ContainerException($"The container {Name} could not be restored. {because}", LogPath);
    }
}
