using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Watches over a restored copy from the word to let go of it until it is frozen. In between CRIU, as its tracer, takes its own code out of the processes: when CRIU is killed just then, or cannot run our hook, they run.
/// </summary>
// spec: MIG-59
internal sealed class ReleaseGuard(ProcessIdentity? criu, string workDirectory, string logPath, Cgroup copy)
{
    /// <summary>Is CRIU still there, which has the copy in its hands?</summary>
    public bool HasCriu => criu is { IsAlive: true };

    /// <summary>
    /// May the copy run, or have run? To be asked when CRIU and the hook have ended, or everything is killed. Then its files are not those that were copied any more. Nothing but the hook's word, or CRIU's own that the restore failed,
    /// says that it has not.
    /// </summary>
    public bool CopyMayRun => MayRun(workDirectory, logPath);

    /// <summary>The same of a restore that an earlier process of ours may have begun to release.</summary>
    public static bool MayRun(string workDirectory, string logPath) => RestoreHook.HasHeard(workDirectory) && !RestoreHook.HasFrozen(workDirectory) && !CriuLog.HasUndoneRestore(logPath);

    /// <summary>Kills the copy, and then CRIU, which would wait for what it traces. False when some of the copy could not be killed.</summary>
    public async Task<bool> KillAsync()
    {
        bool isKilled = await copy.KillAsync(CheckpointTimers.Kill, CancellationToken.None).ConfigureAwait(false);
        criu?.Kill();
        return isKilled;
    }

    /// <summary>Kills what a killed CRIU has let go of, as soon as it is gone. Ends then, or soon after <paramref name="cancellationToken"/> says so. Never throws: whoever finds that the copy may run kills it in any case.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (HasCriu && !cancellationToken.IsCancellationRequested)
            await Task.Delay(CheckpointTimers.Glance, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!HasCriu && CopyMayRun) await ((Task)copy.KillAsync(CheckpointTimers.Kill, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
