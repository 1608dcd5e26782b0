using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// Ends a release that a killed process of ours had begun, on a person's word that the container runs. Its record and its runtime are asked, for a copy that
/// is held looks to a person as one that runs. One that was about to be thawed is.
/// </summary>
// spec: MIG-58
internal sealed class RestoreKeep(IRuntimeProgram runtime, ILogger logger, RestoreRequest request)
{
    private string Name => request.Container.Name;

    /// <summary>Sees to it that the container runs, on its network. Throws <see cref="ContainerException"/> when it never ran, or does not run; nothing is changed then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (OwnedProcesses.Find(request.WorkDirectory).Count > 0) throw new ContainerException($"CRIU is still at work on '{Name}' here. Type the same once more in a minute.");
        RestoreRecord? record = RestoreRecord.Load(request.WorkDirectory);
        if (record is not null && await RestoredCopy.StateOfAsync(record, request.WorkDirectory, runtime, cancellationToken).ConfigureAwait(false) == RestoredState.NeverRan)
        {
            throw new ContainerException($"'{Name}' was restored here but never let run, even if {runtime.Name} calls it running; keep the source.");
        }

        if (record is { Released: false } && !RestoreHook.HasFrozen(request.WorkDirectory))
        {
            throw new ContainerException($"'{Name}' was not let run here, but CRIU was killed as it worked on it, so that it may run all the same, or never; keep the source.");
        }

        KnownContainer? state = await runtime.FindAsync(Name, cancellationToken).ConfigureAwait(false);
        if (state is not { Lives: true })
        {
            throw new ContainerException($"'{Name}' does not run here. If it never did, keep the source; if it ran here and has ended, start it again first ({runtime.StartCommand(Name, request.BundlePath)}).");
        }

        if (state.Bundle != request.BundlePath)
        {
            throw new ContainerException($"The container {Name} here is not the one that was received (its files are in {state.Bundle}); keep the source.");
        }

        if (record is not null) await new RestoredCopy(record, request.WorkDirectory, logger).LetRunAsync(cancellationToken).ConfigureAwait(false);
    }
}
