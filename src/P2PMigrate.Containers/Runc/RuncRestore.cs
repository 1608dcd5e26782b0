using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Runc;

/// <summary>One <c>runc restore</c>, or <c>crun restore</c>, into a bundle.</summary>
internal sealed class RuncRestore(RuncTool runc, ILogger logger, RestoreRequest request) : HeldRestore(runc, logger, request)
{
    private string PlanPath => Path.Combine(Request.WorkDirectory, "restore-plan.json");

    private string BundleConfigurationPath => Path.Combine(Request.BundlePath, "config.json");

    /// <summary>A dump that kept no cgroups must not be told to restore them.</summary>
    private bool ManagesCgroups => File.Exists(Path.Combine(Request.ImageDirectory, DumpMarks.CgroupsKept));

    /// <inheritdoc/>
    protected override bool MapsUsers => ReadConfiguration().MapsUsers;

    /// <inheritdoc/>
    protected override IEnumerable<string> CriuLines => runc.RestoreLines;

    /// <summary>The number of the first process that a restore in this work directory made, or null.</summary>
    public static int? InitOf(string workDirectory)
    {
        string path = PidPathIn(workDirectory);
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out int pid) ? pid : null;
    }

    /// <summary>As for every runtime; what it found is written down.</summary>
    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await base.PrepareAsync(cancellationToken).ConfigureAwait(false);
        RestorePlan plan = await RestorePlan.MakeAsync(ReadConfiguration().NetworkNamespacePath, cancellationToken).ConfigureAwait(false);
        WorkRecord.Save(PlanPath, plan, RuncJson.Default.RestorePlan);
    }

    /// <inheritdoc/>
    protected override async Task<(RestoreRecord Record, bool RaisesLoopback)> BeginAsync(CancellationToken cancellationToken)
    {
        RestorePlan? plan = WorkRecord.Load(PlanPath, RuncJson.Default.RestorePlan);
        if (plan is null || Directory.Exists(runc.StateDirectoryOf(Name))) await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        BundleConfiguration configuration = Retarget();
        string? network = configuration.NetworkNamespacePath;
        if (plan?.IsCurrent(network) != true) plan = await RestorePlan.MakeAsync(network, cancellationToken).ConfigureAwait(false);
        IEnumerable<string> cgroups = Cgroup.PlacesBelow((mount, own) => CgroupPlaces.Candidates(configuration.CgroupsPath, Name, mount, own));
        return (NewRecord(cgroups, plan.Links, network), configuration is { HasNetworkNamespace: true, NetworkNamespacePath: null });
    }

    /// <inheritdoc/>
    protected override async Task<(RestoreRecord Record, DetachedProcess Process)> StartAsync(RestoreRecord record, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> versioned = await runc.RestoreOptionsAsync(ManagesCgroups, cancellationToken).ConfigureAwait(false);
        DetachedProcess process = DetachedProcess.Start(
            Request.WorkDirectory,
            [
                .. runc.CommandLine("--log", RuncTool.LogPath(Request.WorkDirectory, "restore"), "--log-format", "json"),
                .. ReadConfiguration().UsesSystemdCgroups ? ["--systemd-cgroup"] : Array.Empty<string>(),
                "restore", "--detach", "--pid-file", PidPathIn(Request.WorkDirectory), "--tcp-established", "--file-locks", .. versioned, .. IsLazy ? ["--lazy-pages"] : Array.Empty<string>(),
                "--bundle", Request.BundlePath, "--image-path", Request.ImageDirectory, "--work-path", Request.WorkDirectory, Name,
            ],
            new Dictionary<string, string> { [CriuConfiguration.Variable] = CriuConfigurationPath },
            piped: HasPipes());
        return (record, process);
    }

    private static string PidPathIn(string workDirectory) => Path.Combine(workDirectory, "init.pid");

    /// <summary>The source's configuration is kept but for the place of the root file system, and of what came along in it.</summary>
    private BundleConfiguration Retarget()
    {
        BundleConfiguration configuration = ReadConfiguration();
        if (PlacedVolumes.In(configuration, Request.RootPath) is { } placed)
        {
            File.WriteAllBytes(BundleConfigurationPath, placed);
            configuration = ReadConfiguration();
        }

        string? now = configuration.RootPath is { } root ? Path.GetFullPath(root, Request.BundlePath) : null;
        if (now != Path.GetFullPath(Request.RootPath)) File.WriteAllBytes(BundleConfigurationPath, configuration.WithRootPath(Request.RootPath));
        return configuration;
    }

    private BundleConfiguration ReadConfiguration() => BundleConfiguration.TryParse(File.ReadAllBytes(BundleConfigurationPath), out BundleConfiguration? configuration)
        ? configuration : throw new ContainerException($"The source's configuration of {Name} is no JSON object.");

    /// <summary>The runtime wrote down what the container's standard streams were; pipes get new pipes.</summary>
    private bool HasPipes()
    {
        string path = Path.Combine(Request.ImageDirectory, "descriptors.json");
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
}
