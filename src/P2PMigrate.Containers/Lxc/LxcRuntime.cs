using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// Containers of LXC, with CRIU. Needs root, cgroup v2, LXC 6.0 or later and CRIU 4.1 or later. A container that leaves stays behind with its files, unknown to LXC: its
/// configuration is called <c>config.moved</c> then. Holds no state of its own: any number of jobs may share it, on any thread.
/// </summary>
public sealed class LxcRuntime : CriuRuntime
{
    private readonly LxcTool _lxc;
    private readonly ILogger _logger;

    /// <summary>A runtime that finds LXC where <paramref name="options"/> say.</summary>
    public LxcRuntime(LxcOptions options, ILogger logger)
        : this(new LxcTool(options), logger)
    {
    }

    private LxcRuntime(LxcTool lxc, ILogger logger)
        : base(lxc, logger) => (_lxc, _logger) = (lxc, logger);

    /// <summary>Is LXC on this machine?</summary>
    public static bool IsInstalled => LxcTool.IsInstalled;

    /// <inheritdoc/>
    public override async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        if (bundle is not null) throw new ContainerException("A container of LXC has no bundle; leave out --bundle.");
        KnownContainer known = await _lxc.FindAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerException($"LXC knows no container named {name}; `lxc-ls` shows those it knows.");
        KnownContainer.RequireRunning(name, known.Status, $"lxc-unfreeze {name}");

        byte[] configuration = await File.ReadAllBytesAsync(await _lxc.ConfigurationPathAsync(name, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        Cgroup cgroup = _lxc.CgroupOf(name, known.Pid);
        IReadOnlyList<int> pids = cgroup.PidsOfOthers(name);
        return new ContainerDescription
        {
            Name = name,
            Runtime = Name,
            BundlePath = known.Bundle,
            RootPath = await _lxc.RootPathAsync(name, cancellationToken).ConfigureAwait(false),
            Configuration = configuration,
            InitPid = known.Pid,
            CgroupPath = cgroup.Path,
            MemoryBytes = pids.Sum(ProcessTable.ResidentBytes),
            ProcessCount = pids.Count,
        };
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> own = await new LxcCheck(_lxc, container).AtSourceAsync(cancellationToken).ConfigureAwait(false);
        return [.. own, .. await new SourceCheck(_lxc, container, NetworkFate.Dumped).RunAsync(own.All(finding => finding.Severity == FindingSeverity.Good), cancellationToken).ConfigureAwait(false)];
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
    [
        .. await new TargetCheck(_lxc, container, source, _lxc.Options.DataDirectory).RunAsync(cancellationToken).ConfigureAwait(false),
        .. new LxcCheck(_lxc, container).AtTarget(),
    ];

    private protected override IVolumeConfiguration? VolumesOf(ReadOnlySpan<byte> configuration) => LxcConfiguration.Parse(configuration);

    private protected override HeldRestore Restore(RestoreRequest request) => new LxcRestore(_lxc, _logger, request);
}
