using System.ComponentModel;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// What is the same for every runtime whose containers CRIU dumps and restores: the fence by the cgroup, live memory, images, what is kept and what is cleaned up. Holds no
/// state of its own: any number of jobs may share it, on any thread.
/// </summary>
public abstract class CriuRuntime : IContainerRuntime
{
    private const int NoSuchFile = 2;
    private const string CopiedRemedy = "Migrate again; do not change the container's root file system from outside meanwhile.";

    private readonly IRuntimeProgram _program;
    private readonly ILogger _logger;

    private protected CriuRuntime(IRuntimeProgram program, ILogger logger) => (_program, _logger) = (program, logger);

    /// <inheritdoc/>
    public string Name => _program.Name;

    /// <inheritdoc/>
    public string StartCommand(string name, string bundlePath) =>
        (_program.HasRemainsOf(name) ? $"{_program.RemovalCommand(name)} && " : "") + _program.StartCommand(name, bundlePath);

    /// <inheritdoc/>
    public virtual string HowToStart(string name, string bundlePath) => $"Its files are here, in {bundlePath}. To start it anew, type: {StartCommand(name, bundlePath)}";

    /// <inheritdoc/>
    public virtual Task<bool> LivesFromAsync(string name, string bundlePath, CancellationToken cancellationToken) => LivesAsync(name, cancellationToken);

    /// <inheritdoc/>
    public string KillCommand(string name) => _program.KillCommand(name);

    /// <inheritdoc/>
    public async Task<bool> KnowsAsync(string name, CancellationToken cancellationToken) => await _program.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null;

    /// <inheritdoc/>
    public async Task<bool> LivesAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await _program.FindAsync(name, cancellationToken).ConfigureAwait(false) is { Lives: true };
        }
        catch (ContainerException refused) when (refused.InnerException is Win32Exception { NativeErrorCode: NoSuchFile })
        {
            return false; // a machine without this runtime has no container of it
        }
    }

    /// <inheritdoc/>
    public Task<MachineFacts> DescribeMachineAsync(CancellationToken cancellationToken) => Machine.DescribeAsync(_program, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> CheckMachineAsync(CancellationToken cancellationToken) => new MachineCheck(_program).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public abstract Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public ContainerDescription WithVolumes(ContainerDescription container, VolumeChoice choice) => VolumePlacement.Place(container, VolumesOf(container.Configuration.Span), choice);

    /// <inheritdoc/>
    public abstract Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public virtual ILiveMemory? OpenLiveMemory(ContainerDescription container)
    {
        var cgroup = new Cgroup(container.CgroupPath);
        return new LiveMemoryReader(cgroup.Pids, cgroup.Holds);
    }

    /// <inheritdoc/>
    public virtual async Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken) =>
        await FreezePlan.MakeAsync(_program, _logger, container, workDirectory, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public virtual async Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken) =>
        await CgroupFence.ReopenAsync(_program, _logger, workDirectory, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IPageSink CreatePageWriter(string imageDirectory) => new PageImageWriter(imageDirectory);

    /// <inheritdoc/>
    public bool TakesLateMemory(RestoreRequest request) => Restore(request).TakesLate;

    /// <inheritdoc/>
    public bool LacksMemory(RestoreRequest request) => LateMemory.IsLacking(request);

    /// <inheritdoc/>
    public ILateMemory? OpenLateMemory(RestoreRequest request) => LateMemory.Open(request);

    /// <inheritdoc/>
    public virtual Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        Task.Run(() => FileVerification.Run(request.ImageDirectory, request.RootPath, CopiedRemedy, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task PrepareRestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => Restore(request).PrepareAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<IHeldContainer> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => await Restore(request).RunAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<RestoredState> FindRestoredAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        if (RestoreHook.HasHeard(request.WorkDirectory)) // CRIU may be about to freeze it
            await OwnedProcesses.WaitForEndAsync(request.WorkDirectory, CheckpointTimers.Release, cancellationToken).ConfigureAwait(false);
        return await RestoredCopy.StateOfAsync(RestoreRecord.Load(request.WorkDirectory), request.WorkDirectory, _program, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task KeepAsync(RestoreRequest request, CancellationToken cancellationToken) => new RestoreKeep(_program, _logger, request).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public Task CleanUpAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        new RestoreLeftovers(_program, _logger).RemoveAsync(request.WorkDirectory, cancellationToken);

    /// <inheritdoc/>
    public async Task CompleteAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        RequireWhatItLacks(request);
        if (_program.PageProgram is null) return;
        try
        {
            using var giving = new LateGiving(_program, request);
            await giving.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException)
        {
            // One whose memory is still at the source can go on there: a person decides.
            if (!LacksMemory(request) && await _program.FindAsync(request.Container.Name, cancellationToken).ConfigureAwait(false) is not { Lives: true })
                await LateGiving.ForgetAsync(request.WorkDirectory, cancellationToken).ConfigureAwait(false); // it has ended: said once
            throw;
        }
    }

    /// <summary>Nobody waits any more for memory that is still at the source when the machine was started again; and this program must be able to give it.</summary>
    // spec: MIG-104
    private void RequireWhatItLacks(RestoreRequest request)
    {
        if (!LacksMemory(request)) return;
        if (RestoreRecord.Load(request.WorkDirectory) is null)
            throw new ContainerException($"The container {request.Container.Name} had not got all of its memory when this machine was started again, and has ended here.");
        if (_program.PageProgram is null)
            throw new ContainerException($"The container {request.Container.Name} runs here and lacks memory, which this program cannot give to it.");
    }

    /// <summary>What a configuration says of volumes; null when it says nothing.</summary>
    private protected virtual IVolumeConfiguration? VolumesOf(ReadOnlySpan<byte> configuration) => null;

    /// <summary>A restore by this runtime, not begun yet.</summary>
    private protected abstract HeldRestore Restore(RestoreRequest request);
}
