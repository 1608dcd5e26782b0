using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// A container stopped by its own frozen cgroup. One owner, one call at a time.
/// <para>
/// What is true when our process is killed (SIGKILL, crash) at each point; the record in the work directory is written first, so
/// <see cref="ReopenAsync"/> finds all of it:
/// </para>
/// <list type="bullet">
/// <item>While freezing: links may be off their bridges, the cgroup frozen or not. Thawing puts both right.</item>
/// <item>Frozen, no dump: the cgroup stays frozen. A dump that waits for its word fails, and has touched nothing.</item>
/// <item>While dumping: the runtime and CRIU live on in a session of their own. A lazy dump comes to its end; of an ordinary one the page connection is broken, so CRIU fails. Either puts the seized
/// processes back into the frozen cgroup and ends. Thawing waits for that end, for CRIU's last act is to freeze again.</item>
/// <item>Between two dumps (MIG-163): the container may run, off its bridges. Nothing of it has gone anywhere, and thawing puts its links right.</item>
/// <item>Dumped: the cgroup is frozen again by CRIU itself (checked after each dump). Stand-in names of removed files may be in the root
/// file system; thawing and destroying remove them.</item>
/// <item>While thawing or destroying: both can be repeated.</item>
/// </list>
/// The one thing that lets a container out early is a SIGKILL to CRIU while it has the processes seized: nobody here sends one.
/// </summary>
internal sealed class CgroupFence : IFence
{
    private const int MomentsMax = 5;    // CONST-411

    private readonly IRuntimeProgram _runtime;
    private readonly ILogger _logger;
    private readonly string _workDirectory;
    private readonly Cgroup _cgroup;
    private FenceRecord _record;
    private CriuDump? _waiting;          // started, and has touched nothing yet
    private bool _lazily;                // what the last one that came to wait can do, a further one can
    private bool _mayPass;               // did the last one fail for what a moment mends?
    private bool _over;

    private CgroupFence(IRuntimeProgram runtime, ILogger logger, string workDirectory, FenceRecord record)
    {
        (_runtime, _logger, _workDirectory, _record) = (runtime, logger, workDirectory, record);
        _cgroup = new Cgroup(record.CgroupPath);
    }

    /// <summary>
    /// Isolates and freezes a container; when this throws, it runs as before. All questions have been asked, and <paramref name="dump"/> waits, or is null. It is
    /// the fence's from now on, in any case.
    /// </summary>
    public static async Task<CgroupFence> FreezeAsync(
        IRuntimeProgram runtime, ILogger logger, string workDirectory, FenceRecord record, CriuDump? dump, Action stopping, CancellationToken cancellationToken)
    {
        var fence = new CgroupFence(runtime, logger, workDirectory, record) { _waiting = dump, _lazily = dump is { IsLazy: true } };
        long start;
        try
        {
            record.Save(workDirectory);
            stopping();
            start = Stopwatch.GetTimestamp();
            await NetworkIsolation.DetachAsync(record.Links, staysUp: runtime.DumpsNetwork, cancellationToken).ConfigureAwait(false);
            await fence.RequireFrozenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await fence.ThawAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        logger.Frozen(record.Container, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds, record.Isolated);
        return fence;
    }

    /// <summary>The fence that an earlier process left in <paramref name="workDirectory"/>, or null when there is nothing left of its container.</summary>
    public static async Task<CgroupFence?> ReopenAsync(IRuntimeProgram runtime, ILogger logger, string workDirectory, CancellationToken cancellationToken)
    {
        if (FenceRecord.Load(workDirectory) is not { } record || record.Runtime != runtime.Name) return null;
        KnownContainer? state = await runtime.FindAsync(record.Container, cancellationToken).ConfigureAwait(false);
        bool known = state is not null && state.Created == record.Created;
        bool isLeft = runtime.IsCriu && new Cgroup(record.CgroupPath) is { Exists: true, IsPopulated: true }; // of a tree the others live on without the first
        return known || isLeft || record.Init.IsAlive ? new CgroupFence(runtime, logger, workDirectory, record) : null;
    }

    public bool IsAlive => _record.Init.IsAlive;

    public async Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_over, this);
        if (!IsAlive) throw new ContainerException($"The container {_record.Container} has ended.");
        if (!_cgroup.IsFrozen) throw new ContainerException($"The container {_record.Container} is not frozen any more; somebody thawed its cgroup.");
        bool frozenAfterwards;
        DumpSummary summary;
        try
        {
            summary = await DumpPatientlyAsync(imageDirectory, pages, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            _logger.DumpFailed(_record.Container, failure.Message);
            throw;
        }
        finally
        {
            frozenAfterwards = _cgroup.IsFrozen;
            if (!frozenAfterwards && _cgroup.Exists && _record.Init.IsAlive && !IsDumping) await RequireFrozenAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (!frozenAfterwards) throw new ContainerException($"The container {_record.Container} ran for a moment after its dump, so the dump is not its last state.");
        if (_runtime.Loses(_record) is { } lost) throw new ContainerException(lost);
        NameRemovedFiles(imageDirectory);
        DueTimers.Rearm(imageDirectory);
        PathOnlyPrograms.Separate(imageDirectory);
        _logger.Dumped(_record.Container, (long)summary.Duration.TotalMilliseconds, summary.PagesDumped, _lazily);
        return summary;
    }

    public IRemainingMemory? OpenRemaining() => RemainingMemory.Open(_workDirectory, _record.Container, _cgroup);

    /// <summary>
    /// Again, when the dump fails, or would, for what the container itself will have done a moment later. It gets that moment, off its network; nothing of it has been delivered to anybody.
    /// </summary>
    // spec: MIG-163
    private async Task<DumpSummary> DumpPatientlyAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        for (int moments = 0; ; moments++)
        {
            try
            {
                if (moments >= MomentsMax || !_cgroup.Pids().Any(ProcessTable.WaitsInKernel)) return await DumpOnceAsync(imageDirectory, pages, cancellationToken).ConfigureAwait(false);
                _logger.DumpRepeatedLater(_record.Container, "A process waits for another that it starts (vfork), where CRIU cannot seize it.");
            }
            catch (ContainerException passing) when (_mayPass && moments < MomentsMax)
            {
                _logger.DumpRepeatedLater(_record.Container, passing.Message);
            }

            await RequireThawedAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(CheckpointTimers.Moment, cancellationToken).ConfigureAwait(false);
            if (!_record.Init.IsAlive) throw new ContainerException($"The container {_record.Container} ended by itself while it was being dumped.");
            await RequireFrozenAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One that waits and knows the container as it is now, or else a new one; a lazy one that CRIU cannot do is done again as an ordinary one.</summary>
    // spec: MEM-33
    private async Task<DumpSummary> DumpOnceAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        if (_waiting is { } stale && stale.KeepsCgroups != _record.MustKeepCgroups()) await CallOffAsync().ConfigureAwait(false);
        CriuDump dump = _waiting ?? await StartDumpAsync(cancellationToken).ConfigureAwait(false);
        _waiting = null;
        _mayPass = false;
        try
        {
            return await RunAsync(dump, imageDirectory, pages, cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException failure) when (dump is { IsLazy: true, CanBeRepeated: true } && !_mayPass && _cgroup.IsFrozen)
        {
            _lazily = false;
            _logger.DumpRepeated(_record.Container, failure.Message);
        }

        return await RunAsync(await StartDumpAsync(cancellationToken).ConfigureAwait(false), imageDirectory, pages, cancellationToken).ConfigureAwait(false);
    }

    private async Task<DumpSummary> RunAsync(CriuDump dump, string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        await using (dump.ConfigureAwait(false))
        {
            try
            {
                DumpSummary summary = await dump.RunAsync(imageDirectory, pages, cancellationToken).ConfigureAwait(false);
                if (dump.KeepsCgroups) await File.WriteAllBytesAsync(Path.Combine(imageDirectory, DumpMarks.CgroupsKept), [], cancellationToken).ConfigureAwait(false);
                return summary;
            }
            finally
            {
                _mayPass = dump.FailedInPassing;
            }
        }
    }

    private Task<CriuDump> StartDumpAsync(CancellationToken cancellationToken) => CriuDump.StartAsync(_runtime, _workDirectory, _record, _lazily, cancellationToken);

    public async Task<bool> ThawAsync(CancellationToken cancellationToken)
    {
        if (_over) return IsAlive;
        await CallOffAsync().ConfigureAwait(false);
        await WaitForDumpEndAsync(cancellationToken).ConfigureAwait(false);
        if (IsAlive) LinkRemaps.Remove(_record.LinkRemaps, _record.InitPid);
        string? offNetwork = await NetworkIsolation.TryAttachAsync(_record.Links, cancellationToken).ConfigureAwait(false);
        try
        {
            await RequireThawedAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ContainerException) when (!IsAlive)
        {
            // Its cgroup went with it, or is empty.
        }

        bool isAlive = await StaysAliveAsync(cancellationToken).ConfigureAwait(false);
        End();
        if (isAlive) _logger.Thawed(_record.Container);
        else _logger.EndedWhileFrozen(_record.Container);
        if (isAlive && offNetwork is not null) _logger.LeftOffNetwork(_record.Container, offNetwork);
        return isAlive;
    }

    public async Task DestroyAsync(CancellationToken cancellationToken)
    {
        if (_over) return;
        await CallOffAsync().ConfigureAwait(false);
        await WaitForDumpEndAsync(cancellationToken).ConfigureAwait(false);
        if (_record.Init.IsAlive) LinkRemaps.Remove(_record.LinkRemaps, _record.InitPid);
        foreach (BridgeLink link in _record.Links) BridgePort.TryTakeDown(link); // spec: MIG-166
        using SafeFileHandle? network = OpenNetwork();
        if (!await _cgroup.KillAsync(CheckpointTimers.Kill, cancellationToken).ConfigureAwait(false))
        {
            throw new ContainerException($"Processes of {_record.Container} cannot be killed; look at {_cgroup.Path}/cgroup.procs.");
        }

        if (network is not null) await AbandonedConnections.EndAsync($"/proc/{Environment.ProcessId}/fd/{network.DangerousGetHandle()}", cancellationToken).ConfigureAwait(false);
        KnownContainer? state = await _runtime.FindAsync(_record.Container, cancellationToken).ConfigureAwait(false);
        if (state?.Created == _record.Created) await _runtime.ForgetAsync(_record.Container, cancellationToken).ConfigureAwait(false);
        End();
        _logger.Destroyed(_record.Container);
    }

    /// <summary>Lets go of the object only: the container stays as it is. A dump that waits gives up.</summary>
    public async ValueTask DisposeAsync() => await CallOffAsync().ConfigureAwait(false);

    /// <summary>A CRIU at work has the processes run its code; frozen, they would never answer it.</summary>
    // spec: MIG-91
    private bool IsDumping => OwnedProcesses.Find(_workDirectory).Count > 0;

    /// <summary>The network of a container that it does not take with it, and that nobody reaches while its links are off; else null.</summary>
    // spec: MIG-167
    private SafeFileHandle? OpenNetwork() => _record is { Isolated: true, Links.Count: > 0, Init.IsAlive: true } && !_runtime.DumpsNetwork
        ? File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{_record.InitPid}/ns/net")) : null;

    private async Task RequireFrozenAsync(CancellationToken cancellationToken)
    {
        if (await _cgroup.SetFrozenAsync(true, CheckpointTimers.Freeze, cancellationToken).ConfigureAwait(false)) return;
        throw new ContainerException($"The container {_record.Container} does not stop within {CheckpointTimers.Freeze.TotalSeconds:0} s; one of its processes is stuck in the kernel.");
    }

    private async Task RequireThawedAsync(CancellationToken cancellationToken)
    {
        if (await _cgroup.SetFrozenAsync(false, CheckpointTimers.Freeze, cancellationToken).ConfigureAwait(false)) return;
        throw new ContainerException($"The container {_record.Container} does not thaw; a cgroup above {_cgroup.Path} may be frozen.");
    }

    private async ValueTask CallOffAsync()
    {
        if (_waiting is not { } waiting) return;
        _waiting = null;
        await waiting.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A CRIU that still undoes a failed dump would freeze again after our thaw.</summary>
    private async Task WaitForDumpEndAsync(CancellationToken cancellationToken)
    {
        if (await OwnedProcesses.WaitForEndAsync(_workDirectory, CheckpointTimers.DumpUndo, cancellationToken).ConfigureAwait(false)) return;
        throw new ContainerException($"CRIU is still at work on {_record.Container}; wait for its end and try again, do not kill it.", Path.Combine(_workDirectory, CriuDump.LogName));
    }

    /// <summary>A process that CRIU had run its code, and that lost it there, meets that only when it runs again.</summary>
    // spec: MIG-14
    private async Task<bool> StaysAliveAsync(CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        while (IsAlive && CriuLog.IsCutOff(Path.Combine(_workDirectory, CriuDump.LogName)) && Environment.TickCount64 - start < CheckpointTimers.AfterKill.TotalMilliseconds)
            await Task.Delay(CheckpointTimers.Look, cancellationToken).ConfigureAwait(false);
        return IsAlive;
    }

    private void NameRemovedFiles(string imageDirectory)
    {
        IReadOnlyList<LinkRemaps.Remap> remaps = LinkRemaps.Read(imageDirectory);
        if (remaps.Count == 0) return;
        _record = _record with { LinkRemaps = [.. remaps.Select(remap => remap.StandIn)] };
        _record.Save(_workDirectory);
        LinkRemaps.Create(remaps, _record.InitPid, _cgroup.Pids());
    }

    private void End()
    {
        FenceRecord.Remove(_workDirectory);
        _over = true;
    }
}
