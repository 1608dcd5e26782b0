using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// The answers to all questions about a running container, and a <see cref="CriuDump"/> that waits for it to be frozen. If our process dies, the waiting CRIU
/// gives up by itself.
/// </summary>
// spec: MIG-90
internal sealed class FreezePlan : IFreezePlan
{
    private readonly IRuntimeProgram _runtime;
    private readonly ILogger _logger;
    private readonly ContainerDescription _container;
    private readonly string _workDirectory;
    private FenceRecord _record;
    private string _network;
    private CriuDump? _dump;

    private FreezePlan(IRuntimeProgram runtime, ILogger logger, ContainerDescription container, string workDirectory, (FenceRecord Record, string Network) facts)
    {
        (_runtime, _logger, _container, _workDirectory) = (runtime, logger, container, workDirectory);
        (_record, _network) = facts;
    }

    /// <summary>Asks, and starts the dump.</summary>
    public static async Task<FreezePlan> MakeAsync(
        IRuntimeProgram runtime, ILogger logger, ContainerDescription container, string workDirectory, CancellationToken cancellationToken)
    {
        var plan = new FreezePlan(runtime, logger, container, workDirectory, await DescribeAsync(runtime, container, cancellationToken).ConfigureAwait(false));
        await plan.StartDumpAsync(cancellationToken).ConfigureAwait(false);
        return plan;
    }

    public async Task<IFence> FreezeAsync(Action stopping, CancellationToken cancellationToken)
    {
        if (!IsCurrent)
        {
            await DisposeAsync().ConfigureAwait(false);
            (_record, _network) = await DescribeAsync(_runtime, _container, cancellationToken).ConfigureAwait(false);
            await StartDumpAsync(cancellationToken).ConfigureAwait(false);
        }

        CriuDump? dump = _dump;
        _dump = null;
        return await CgroupFence.FreezeAsync(_runtime, _logger, _workDirectory, _record, dump, stopping, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_dump is not { } dump) return;
        _dump = null;
        await dump.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The same processes, not paused by somebody, on the same links, and a dump that still waits. Asks no other program.</summary>
    private bool IsCurrent =>
        _record.Init.IsAlive && new Cgroup(_record.CgroupPath) is { IsFrozen: false } cgroup
        && (_dump is null || (!_dump.HasEnded && _dump.KeepsCgroups == _record.MustKeepCgroups()))
        && NetworkIsolation.AreCurrent(_record.Links) && NetworkIsolation.Fingerprint(_record.InitPid) == _network;

    /// <summary>
    /// An ordinary dump is the second choice, for where CRIU cannot leave memory in the processes or would leave too little of it there. One that does not come to wait either is started anew when
    /// it is wanted, and then says why it cannot.
    /// </summary>
    // spec: MEM-33
    private async Task StartDumpAsync(CancellationToken cancellationToken)
    {
        if (WrittenMemory.IsLittle(new Cgroup(_record.CgroupPath).Pids()))
        {
            if (await TryStartDumpAsync(lazily: true, cancellationToken).ConfigureAwait(false)) return;
            _logger.DumpNotLazy(_record.Container, CriuLog.Explain(Path.Combine(_workDirectory, CriuDump.LogName)) ?? $"{_runtime.Name} gave no reason.");
        }
        else
        {
            _logger.DumpWouldWriteMuch(_record.Container);
        }

        await TryStartDumpAsync(lazily: false, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> TryStartDumpAsync(bool lazily, CancellationToken cancellationToken)
    {
        _dump = await CriuDump.StartAsync(_runtime, _workDirectory, _record, lazily, cancellationToken).ConfigureAwait(false);
        try
        {
            if (await _dump.WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false)) return true;
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await DisposeAsync().ConfigureAwait(false);
        return false;
    }

    private static async Task<(FenceRecord Record, string Network)> DescribeAsync(IRuntimeProgram runtime, ContainerDescription container, CancellationToken cancellationToken)
    {
        KnownContainer state = await runtime.FindAsync(container.Name, cancellationToken).ConfigureAwait(false)
            ?? throw new ContainerException($"{runtime.Name} does not know a container {container.Name} any more.");
        if (state.Status != KnownContainer.Running || ProcessIdentity.Of(state.Pid) is not { } init)
        {
            throw new ContainerException($"The container {container.Name} is {state.Status}, not running.");
        }

        string network = NetworkIsolation.Fingerprint(init.Pid); // Before the question whose answer it guards.
        await KernelFacts.WarmAsync(runtime.Criu, cancellationToken).ConfigureAwait(false);
        NetworkIsolation isolation = await NetworkIsolation.FindAsync(init.Pid, cancellationToken).ConfigureAwait(false);
        var record = new FenceRecord
        {
            Container = container.Name,
            Runtime = runtime.Name,
            Created = state.Created,
            BundlePath = container.BundlePath,
            CgroupPath = runtime.CgroupOf(container.Name, init.Pid).Path,
            InitPid = init.Pid,
            InitStartTicks = init.StartTicks,
            BootId = WorkRecord.CurrentBootId,
            Links = isolation.Links,
            Isolated = isolation.Complete,
        };
        return (record, network);
    }
}
