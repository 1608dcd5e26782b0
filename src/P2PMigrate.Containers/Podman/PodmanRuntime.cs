using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// Containers of Podman, of root's, that runc 1.1 or crun 1.28 runs, or later ones, with CRIU. Needs Podman 5.0 or later. One that has moved has a directory as its root file system at the target, whatever image it was made of, so no registry
/// is asked; Podman knows it there as it did here, but for its number. Holds no state of its own: any number of jobs may share it, on any thread.
/// </summary>
public sealed class PodmanRuntime : CriuRuntime
{
    private readonly PodmanTool _podman;
    private readonly ILogger _logger;

    /// <summary>A runtime that finds Podman where <paramref name="options"/> say.</summary>
    public PodmanRuntime(PodmanOptions options, ILogger logger)
        : this(new PodmanTool(options), logger)
    {
    }

    private PodmanRuntime(PodmanTool podman, ILogger logger)
        : base(podman, logger) => (_podman, _logger) = (podman, logger);

    /// <summary>Is Podman on this machine?</summary>
    public static bool IsInstalled => Tool.Exists("podman");

    /// <inheritdoc/>
    public override async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        if (bundle is not null) throw new ContainerException("A container of Podman has no bundle of yours; leave out --bundle.");
        PodmanContainer known = await FindAsync(name, cancellationToken).ConfigureAwait(false);
        KnownContainer state = _podman.StateOf(known);
        KnownContainer.RequireRunning(name, state.Status, $"podman unpause {name}");

        byte[] written = await File.ReadAllBytesAsync(Path.Combine(known.StaticDir, "config.json"), cancellationToken).ConfigureAwait(false);
        string creation = await _podman.CreationOfAsync(known, cancellationToken).ConfigureAwait(false);
        byte[] configuration = PodmanConfiguration.Compose(known, written, creation);
        Cgroup cgroup = _podman.CgroupOf(name, state.Pid);
        IReadOnlyList<int> pids = cgroup.PidsOfOthers(name);
        return new ContainerDescription
        {
            Name = name,
            Runtime = Name,
            BundlePath = state.Bundle,
            RootPath = BundleConfiguration.TryParse(written, out BundleConfiguration? parsed) && parsed.RootPath is { } root ? root : throw new ContainerException($"Podman's configuration of {name} names no root file system."),
            Configuration = configuration,
            InitPid = state.Pid,
            CgroupPath = cgroup.Path,
            MemoryBytes = pids.Sum(ProcessTable.ResidentBytes),
            ProcessCount = pids.Count,
        };
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken)
    {
        PodmanContainer known = await FindAsync(container.Name, cancellationToken).ConfigureAwait(false);
        Finding[] own =
        [
            .. new PodmanCheck(_podman, container).AtSource(known),
            .. (await new PodmanCheck(_podman, container).AtSourceAsync(known, cancellationToken).ConfigureAwait(false)).Where(finding => finding.Severity != FindingSeverity.Good),
        ];
        return [.. own, .. await new SourceCheck(_podman, container, FateOfNetwork(container)).RunAsync(own.All(finding => finding.Severity == FindingSeverity.Good), cancellationToken).ConfigureAwait(false)];
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
    [
        .. await new TargetCheck(_podman, container, source, _podman.Options.DataDirectory).RunAsync(cancellationToken).ConfigureAwait(false),
        .. await new PodmanCheck(_podman, container).AtTargetAsync(cancellationToken).ConfigureAwait(false),
    ];

    private protected override IVolumeConfiguration? VolumesOf(ReadOnlySpan<byte> configuration) => PodmanConfiguration.TryParse(configuration, out PodmanConfiguration? parsed) ? parsed : null;

    private protected override HeldRestore Restore(RestoreRequest request) => new PodmanRestore(_podman, _logger, request);

    private static NetworkFate FateOfNetwork(ContainerDescription container)
    {
        if (!PodmanConfiguration.TryParse(container.Configuration.Span, out PodmanConfiguration? configuration)) return NetworkFate.LeftBehind;
        if (configuration.HasNetworkOfPodman) return NetworkFate.MadeAnew;
        return BundleConfiguration.TryParse(configuration.PlainBundle, out BundleConfiguration? bundle) && bundle.NetworkNamespacePath is not null ? NetworkFate.Prepared : NetworkFate.LeftBehind;
    }

    private async Task<PodmanContainer> FindAsync(string name, CancellationToken cancellationToken) => await _podman.InspectAsync(name, cancellationToken).ConfigureAwait(false)
        ?? throw new ContainerException($"Podman knows no container named {name}; `podman ps -a` shows those it knows.");
}
