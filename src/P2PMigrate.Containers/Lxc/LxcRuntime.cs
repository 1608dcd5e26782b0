using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// Containers of LXC, with CRIU. Needs root, cgroup v2, LXC 6.0 or later and CRIU 4.1 or later. A container that leaves stays behind with its files, unknown to LXC: its
/// configuration is called <c>config.moved</c> then. Holds no state of its own: any number of jobs may share it, on any thread.
/// </summary>
public sealed class LxcRuntime : IContainerRuntime
{
    private readonly LxcTool _lxc;
    private readonly ILogger _logger;

    /// <summary>A runtime that finds LXC where <paramref name="options"/> say.</summary>
    public LxcRuntime(LxcOptions options, ILogger logger) => (_lxc, _logger) = (new LxcTool(options), logger);

    /// <summary>Is LXC on this machine?</summary>
    public static bool IsInstalled => LxcTool.IsInstalled;

    /// <inheritdoc/>
    public string Name => _lxc.Name;

    /// <inheritdoc/>
    public string StartCommand(string name, string bundlePath) => _lxc.StartCommand(name, bundlePath);

    /// <inheritdoc/>
    public string KillCommand(string name) => $"lxc-stop -k {name}";

    /// <inheritdoc/>
    public async Task<bool> KnowsAsync(string name, CancellationToken cancellationToken) => await _lxc.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null;

    /// <inheritdoc/>
    public Task<MachineFacts> DescribeMachineAsync(CancellationToken cancellationToken) => Machine.DescribeAsync(_lxc, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> CheckMachineAsync(CancellationToken cancellationToken) => new MachineCheck(_lxc).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken)
    {
        if (bundle is not null) throw new ContainerException("A container of LXC has no bundle; leave out --bundle.");
        KnownContainer known = await _lxc.FindAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerException($"LXC knows no container named {name}; `lxc-ls` shows those it knows.");
        if (known.Status != KnownContainer.Running)
        {
            throw new ContainerException(known.Status == KnownContainer.Paused
                ? $"The container {name} is paused. If a migration of it is under way or in doubt, leave it so: `p2pmigrate migrate` says what to do. If you paused it yourself, type: lxc-unfreeze {name}"
                : $"The container {name} is {known.Status}, not running.");
        }

        byte[] configuration = await File.ReadAllBytesAsync(await _lxc.ConfigurationPathAsync(name, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        Cgroup cgroup = Cgroup.Of(known.Pid);
        IReadOnlyList<int> pids = cgroup.Pids();
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
    public async Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> own = await new LxcCheck(_lxc, container).AtSourceAsync(cancellationToken).ConfigureAwait(false);
        return [.. own, .. await new SourceCheck(_lxc, container, movesOwnNetwork: true).RunAsync(own.Count == 0, cancellationToken).ConfigureAwait(false)];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken) =>
    [
        .. await new TargetCheck(_lxc, container, source, _lxc.Options.DataDirectory).RunAsync(cancellationToken).ConfigureAwait(false),
        .. new LxcCheck(_lxc, container).AtTarget(),
    ];

    /// <inheritdoc/>
    public ILiveMemory? OpenLiveMemory(ContainerDescription container)
    {
        var cgroup = new Cgroup(container.CgroupPath);
        return new LiveMemoryReader(cgroup.Pids, cgroup.Holds);
    }

    /// <inheritdoc/>
    public async Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken) =>
        await FreezePlan.MakeAsync(_lxc, _logger, container, workDirectory, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken) =>
        await CgroupFence.ReopenAsync(_lxc, _logger, workDirectory, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IPageSink CreatePageWriter(string imageDirectory) => new PageImageWriter(imageDirectory);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        Task.Run(() => FileVerification.Run(request.ImageDirectory, request.RootPath, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task PrepareRestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => new LxcRestore(_lxc, _logger, request).PrepareAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<IHeldContainer> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        await new LxcRestore(_lxc, _logger, request).RunAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task KeepAsync(RestoreRequest request, CancellationToken cancellationToken) => new RestoreKeep(_lxc, _logger, request).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public Task CleanUpAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        new RestoreLeftovers(_lxc, _logger).RemoveAsync(request.WorkDirectory, cancellationToken);
}
