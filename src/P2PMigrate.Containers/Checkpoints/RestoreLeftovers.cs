using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Removes what is left of a restore that did not come to its end: first it gives CRIU and the runtime the time to clean up by themselves
/// (the hook has failed by now), then it kills the rest, which in a restore is safe. A container that was released and runs is left alone. The record stays, so that a later process knows
/// what has become of the restore.
/// </summary>
internal sealed class RestoreLeftovers(IRuntimeProgram runtime, ILogger logger)
{
    /// <summary>Removes what the restore begun in <paramref name="workDirectory"/> left; nothing when none was begun.</summary>
    public async Task RemoveAsync(string workDirectory, CancellationToken cancellationToken)
    {
        await ForgetEarlierAsync(workDirectory, cancellationToken).ConfigureAwait(false);
        if (RestoreRecord.Load(workDirectory) is not { Removed: false } record) return;
        bool undone = await OwnedProcesses.WaitForEndAsync(workDirectory, CheckpointTimers.RestoreUndo, cancellationToken).ConfigureAwait(false);
        if (!undone) foreach (ProcessIdentity process in OwnedProcesses.Find(workDirectory)) process.Kill(); // LXC answers nobody while its restore hangs.
        KnownContainer? state = await runtime.FindAsync(record.Container, cancellationToken).ConfigureAwait(false);
        bool runs = await RestoredCopy.StateOfAsync(record, workDirectory, runtime, cancellationToken).ConfigureAwait(false) == RestoredState.Runs;
        try
        {
            if (!runs) await RemoveContainerAsync(record, state, workDirectory, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Also where a container of somebody else's is left alone: it may live on these links. What was off, with nobody behind it, stays so: it would refuse the connections of the copy at the source.
            string? offNetwork = await NetworkIsolation.TryAttachAsync(record.Links.Where(link => runs || !link.IsOff), cancellationToken).ConfigureAwait(false);
            if (runs && offNetwork is not null) logger.LeftOffNetwork(record.Container, offNetwork);
        }

        if (!runs) record.MarkRemoved(workDirectory);
    }

    /// <summary>
    /// A machine that was started again has lost what was restored; but a runtime with records on disk still knows a container that never ran, and would refuse the next one of that name.
    /// </summary>
    private async Task ForgetEarlierAsync(string workDirectory, CancellationToken cancellationToken)
    {
        if (RestoreRecord.OfEarlierBoot(workDirectory) is not { Removed: false, Released: false } record) return;
        if (await runtime.FindAsync(record.Container, cancellationToken).ConfigureAwait(false) is { Lives: false } known && known.Bundle == record.BundlePath)
            await runtime.ForgetAsync(record.Container, cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveContainerAsync(RestoreRecord record, KnownContainer? state, string workDirectory, CancellationToken cancellationToken)
    {
        if (!runtime.IsCriu && state is not null && state.Bundle != record.BundlePath) // of a tree only what is in its cgroup is touched
        {
            throw new ContainerException($"The container {record.Container} here is not the one that was being restored (its files are in {state.Bundle}); it is left alone.");
        }

        if (record.Released) await NetworkIsolation.TryDetachAsync(record.Links, cancellationToken).ConfigureAwait(false);
        await runtime.SettleAsync(workDirectory, cancellationToken).ConfigureAwait(false);
        await KillAsync(record, workDirectory, cancellationToken).ConfigureAwait(false);
        if (record is { NetworkNamespacePath: { } network, Links.Count: > 0 }) await AbandonedConnections.EndAsync(network, cancellationToken).ConfigureAwait(false); // spec: MIG-167
        await runtime.ForgetRestoreAsync(record, workDirectory, cancellationToken).ConfigureAwait(false);
        logger.CleanedUp(record.Container);
    }

    /// <summary>Everything in the container's cgroup goes, which did not exist before the restore.</summary>
    private static async Task KillAsync(RestoreRecord record, string workDirectory, CancellationToken cancellationToken)
    {
        foreach (ProcessIdentity process in OwnedProcesses.Find(workDirectory)) process.Kill();
        foreach (Cgroup cgroup in record.Cgroups.Select(path => new Cgroup(path)).Where(cgroup => cgroup.Exists))
        {
            if (!await cgroup.KillAsync(CheckpointTimers.Kill, cancellationToken).ConfigureAwait(false))
            {
                throw new ContainerException($"Processes of {record.Container} cannot be killed; look at {cgroup.Path}/cgroup.procs.");
            }

            cgroup.Remove();
        }

        await LateGiving.ForgetAsync(workDirectory, cancellationToken).ConfigureAwait(false); // Whoever keeps pages goes last: what still ran would read zeros.
    }
}
