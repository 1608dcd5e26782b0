using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Ends a release that a killed process of ours had begun, on a person's word that the container runs. It is asked of CRIU and runtime, for a copy that
/// is held, or whose CRIU was killed before it let go, looks to a person as one that runs.
/// </summary>
// spec: MIG-58
internal sealed class RestoreKeep(IRuntimeProgram runtime, ILogger logger, RestoreRequest request)
{
    private string Name => request.Container.Name;

    /// <summary>Puts the container on its network. Throws <see cref="ContainerException"/> when it does not run; nothing is changed then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        RestoreRecord? record = RestoreRecord.Load(request.WorkDirectory);
        if (record is not null) await RequireReleasedAsync(cancellationToken).ConfigureAwait(false);
        KnownContainer? state = await runtime.FindAsync(Name, cancellationToken).ConfigureAwait(false);
        if (state is not { Status: KnownContainer.Running or KnownContainer.Paused })
        {
            throw new ContainerException($"'{Name}' does not run here. If it never did, keep the source; if it ran here and has ended, start it again first ({runtime.StartCommand(Name, request.BundlePath)}).");
        }

        if (state.Bundle != request.BundlePath)
        {
            throw new ContainerException($"The container {Name} here is not the one that was received (its files are in {state.Bundle}); keep the source.");
        }

        if (record is not null) await ConnectAsync(record, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>CRIU and the runtime may still be at work for a while when only our own process was killed.</summary>
    private async Task RequireReleasedAsync(CancellationToken cancellationToken)
    {
        if (!await OwnedProcesses.WaitForEndAsync(request.WorkDirectory, CheckpointTimers.RestoreUndo, cancellationToken).ConfigureAwait(false))
        {
            throw new ContainerException($"CRIU is still at work on {Name}; try again when it has ended.");
        }

        if (!RestoreHook.HasResumed(request.WorkDirectory))
        {
            throw new ContainerException($"'{Name}' was restored here but never let run, even if {runtime.Name} calls it running; keep the source.");
        }
    }

    private async Task ConnectAsync(RestoreRecord record, CancellationToken cancellationToken)
    {
        string? offNetwork = await NetworkIsolation.TryAttachAsync(record.Links, cancellationToken).ConfigureAwait(false);
        if (offNetwork is not null) logger.LeftOffNetwork(Name, offNetwork);
        if (record.NetworkNamespacePath is { } network && record.Links.Count > 0) Announcement.Begin(network, logger);
        RestoreRecord.Remove(request.WorkDirectory);
    }
}
