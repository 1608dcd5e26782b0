using System.Globalization;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Runc;

/// <summary>
/// Containers that are started from a bundle, with CRIU: runc's, and those of runtimes that have runc's command line. Needs root and cgroup v2. Holds no state of its own: any number
/// of jobs may share it, on any thread.
/// </summary>
public abstract class BundleRuntime : CriuRuntime
{
    private readonly RuncTool _runc;
    private readonly ILogger _logger;

    private protected BundleRuntime(RuncTool runc, ILogger logger)
        : base(runc, logger) => (_runc, _logger) = (runc, logger);

    /// <inheritdoc/>
    public override async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        RuncState state = await _runc.StateAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerException($"{Name} knows no container named {name}; `{Name} list` shows those it knows.");
        KnownContainer.RequireRunning(name, state.Status, $"{Name} resume {name}");

        string bundlePath = Path.GetFullPath(bundle ?? state.Bundle);
        byte[] configuration = ReadConfiguration(name, bundlePath);
        return Describe(state, bundlePath, configuration);
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken)
    {
        bool prepared = BundleConfiguration.TryParse(container.Configuration.Span, out BundleConfiguration? configuration) && configuration.NetworkNamespacePath is not null;
        IReadOnlyList<Finding> own = new BundleCheck(container, _runc.Options.DataDirectory).AtSource();
        return [.. own, .. await new SourceCheck(_runc, container, prepared ? NetworkFate.Prepared : NetworkFate.LeftBehind).RunAsync(own.All(finding => finding.Severity == FindingSeverity.Good), cancellationToken).ConfigureAwait(false)];
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
    [
        .. await new TargetCheck(_runc, container, source, _runc.Options.DataDirectory).RunAsync(cancellationToken).ConfigureAwait(false),
        .. await new BundleCheck(container, _runc.Options.DataDirectory).AtTargetAsync(cancellationToken).ConfigureAwait(false),
    ];

    private protected override IVolumeConfiguration? VolumesOf(ReadOnlySpan<byte> configuration) => BundleConfiguration.TryParse(configuration, out BundleConfiguration? parsed) ? parsed : null;

    private protected override HeldRestore Restore(RestoreRequest request) => new RuncRestore(_runc, _logger, request);

    private static byte[] ReadConfiguration(string name, string bundlePath)
    {
        string path = Path.Combine(bundlePath, "config.json");
        if (!File.Exists(path)) throw new ContainerException($"The container {name} has no {path}; name its bundle with --bundle.");
        byte[] configuration = File.ReadAllBytes(path);
        return BundleConfiguration.TryParse(configuration, out _)
            ? configuration
            : throw new ContainerException($"{path} is no configuration that P2PMigrate can read.");
    }

    private ContainerDescription Describe(RuncState state, string bundlePath, byte[] configuration)
    {
        Cgroup cgroup = _runc.CgroupOf(state.Id, state.Pid);
        IReadOnlyList<int> pids = cgroup.PidsOfOthers(state.Id);
        return new ContainerDescription
        {
            Name = state.Id,
            Runtime = Name,
            BundlePath = bundlePath,
            RootPath = RootOf(state, bundlePath, configuration),
            Configuration = configuration,
            InitPid = state.Pid,
            CgroupPath = cgroup.Path,
            MemoryBytes = pids.Sum(ProcessTable.ResidentBytes),
            ProcessCount = pids.Count,
        };
    }

    private static string RootOf(RuncState state, string bundlePath, byte[] configuration)
    {
        if (state.RootFs.Length > 0) return Path.GetFullPath(state.RootFs, state.Bundle);
        return BundleConfiguration.TryParse(configuration, out BundleConfiguration? parsed) && parsed.RootPath is { } root
            ? Path.GetFullPath(root, bundlePath)
            : throw new ContainerException(string.Create(CultureInfo.InvariantCulture, $"The configuration in {bundlePath} names no root file system."));
    }
}
