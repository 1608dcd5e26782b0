using System.Globalization;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// One <c>lxc-checkpoint -r</c>. LXC's monitor is the parent of what CRIU restores and stays for as long as the container lives. CRIU makes the container's interfaces and puts them on
/// their bridges itself, and lets nothing through before it was released, so no link is taken off one.
/// </summary>
internal sealed class LxcRestore(LxcTool lxc, ILogger logger, RestoreRequest request) : HeldRestore(lxc, logger, request)
{
    /// <summary>Names the work directory in the environment of LXC's own processes, which outlive the restore; see <see cref="OwnedProcesses.Variable"/> for those that do not.</summary>
    public const string Variable = "P2PMIGRATE_LXC_WORK";

    private const int NumbersTried = 3;

    private LxcConfiguration Configuration => LxcConfiguration.Parse(Request.Container.Configuration.Span) ?? throw new ContainerException($"The source's configuration of {Name} is no text.");

    /// <inheritdoc/>
    protected override bool MapsUsers => Configuration.HasIdMap;

    /// <inheritdoc/>
    protected override async Task<(RestoreRecord Record, bool RaisesLoopback)> BeginAsync(CancellationToken cancellationToken)
    {
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        _ = Configuration;
        return (NewRecord([.. CgroupPlacesOf("lxc.payload."), .. CgroupPlacesOf("lxc.monitor.")], links: [], networkNamespacePath: null), RaisesLoopback: false);
    }

    /// <summary>LXC starts the first program called criu on PATH, which is a stand-in of ours.</summary>
    protected override async Task<(RestoreRecord Record, DetachedProcess Process)> StartAsync(RestoreRecord record, CancellationToken cancellationToken)
    {
        LxcPlacement.Write(await lxc.ConfigurationPathAsync(Name, cancellationToken).ConfigureAwait(false), Configuration, Request.RootPath);
        string programs = CriuStandIn.Write(Request.WorkDirectory, lxc.Criu, CriuConfigurationPath);
        string[] place = lxc.Options.ContainersPath is { } path ? ["-P", path] : [];
        DetachedProcess process = DetachedProcess.Start(
            Request.WorkDirectory,
            [
                "env", "-u", OwnedProcesses.Variable, "lxc-checkpoint", "-n", Name, .. place, "-r", "-D", Request.ImageDirectory,
                "-o", Path.Combine(Request.WorkDirectory, "lxc-restore.log"), "-l", "INFO",
            ],
            new Dictionary<string, string> { [Variable] = Request.WorkDirectory, ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}" },
            piped: false);
        return (record, process);
    }

    /// <summary>LXC makes its cgroups beside its own, or at the root; where the name is taken, with a number behind it.</summary>
    private IEnumerable<string> CgroupPlacesOf(string prefix) =>
        from leaf in (string[])[prefix + Name, .. Enumerable.Range(1, NumbersTried).Select(number => string.Create(CultureInfo.InvariantCulture, $"{prefix}{Name}-{number}"))]
        from path in Cgroup.PlacesBelow((mount, own) => CgroupPlaces.Candidates(leaf, leaf, mount, own))
        select path;
}
