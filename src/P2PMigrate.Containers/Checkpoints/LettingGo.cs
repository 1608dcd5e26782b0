using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// CRIU between our word to let go of a restored container and its end. It takes its own code out of the processes, as their tracer, before <see cref="RestoreHook"/> can freeze them: when it is killed just then, the kernel
/// lets them go, and they run. Used by one release.
/// </summary>
// spec: MIG-59
internal sealed class LettingGo(ProcessIdentity? criu, string workDirectory, string logPath, Cgroup copy)
{
    /// <summary>Is CRIU still there?</summary>
    public bool IsAlive => criu is { IsAlive: true };

    /// <summary>May the copy have run, if only for a moment? Known when <see cref="GuardAsync"/> has ended. Its files are then not those that were copied any more.</summary>
    public bool MayHaveRun { get; private set; }

    /// <summary>Kills what a killed CRIU has let go of. Ends with CRIU, or soon after <paramref name="cancellationToken"/> says so.</summary>
    public async Task GuardAsync(CancellationToken cancellationToken)
    {
        while (IsAlive && !cancellationToken.IsCancellationRequested)
            await Task.Delay(CheckpointTimers.Glance, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (IsAlive || RestoreHook.HasFrozenInTime(workDirectory) || CriuLog.HasFailedToRestore(logPath)) return;
        MayHaveRun = true;
        await copy.KillAsync(CheckpointTimers.Kill, CancellationToken.None).ConfigureAwait(false);
    }
}
