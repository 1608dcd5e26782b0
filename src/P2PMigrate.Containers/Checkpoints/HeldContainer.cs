using System.Diagnostics;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// A restored container that waits in <see cref="RestoreHook"/>. If our process is killed, the hook reads the end of its FIFO and
/// fails, CRIU kills the restored processes and the runtime forgets them. If everything of ours is killed at once (a service stopped as
/// a control group), the processes stay in CRIU's restorer code, which waits for a CRIU that is gone: they never
/// run, and <see cref="RestoreLeftovers"/> removes them.
/// </summary>
internal sealed class HeldContainer(IRuntimeProgram runtime, ILogger logger, RestoreRecord record, string workDirectory, RestoreHook hook, DetachedProcess process) : IHeldContainer
{
    private bool _over;

    private string Name => record.Container;

    private string LogPath => Path.Combine(workDirectory, "restore.log");

    /// <summary>
    /// Lets it run and returns when it does and is on its network: CRIU has taken its own code out of the processes and let go of them.
    /// Throws when the container did not come to life; then nothing of it is left either.
    /// </summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_over, this);
        long start = Stopwatch.GetTimestamp();
        await BeginReleaseAsync().ConfigureAwait(false);
        Task<int?> exit = process.WaitAsync(CheckpointTimers.Release);
        string? offNetwork = await ConnectAsync(exit, cancellationToken).ConfigureAwait(false);
        int? code = await exit.ConfigureAwait(false);
        Close();
        if (code != 0 || !await IsAliveAsync(cancellationToken).ConfigureAwait(false)) throw await FailAsync(code).ConfigureAwait(false);

        RestoreRecord.Remove(workDirectory);
        logger.Released(Name, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        if (offNetwork is not null) logger.LeftOffNetwork(Name, offNetwork);
    }

    /// <summary>A release that cannot be written down has not begun: a copy that stayed held would look as if it ran, until its hook found us gone.</summary>
    private async Task BeginReleaseAsync()
    {
        try
        {
            (record with { Released = true }).Save(workDirectory);
            hook.Release();
            _over = true;
        }
        catch
        {
            await AbortAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    public async Task AbortAsync(CancellationToken cancellationToken)
    {
        if (_over) return;
        _over = true;
        Close();
        await new RestoreLeftovers(runtime, logger).RemoveAsync(workDirectory, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await AbortAsync(CancellationToken.None).ConfigureAwait(false);

    /// <summary>
    /// Puts it on its network as soon as it can answer there, while CRIU and the runtime still tidy up. A restore that ends without having said so, or badly, is
    /// dealt with by the caller; a container must not stay off the network for a word that was lost.
    /// </summary>
    private async Task<string?> ConnectAsync(Task<int?> exit, CancellationToken cancellationToken)
    {
        Task<bool> ready = hook.WaitUntilReadyAsync();
        await Task.WhenAny(ready, exit).ConfigureAwait(false);
        if (!ready.IsCompleted) hook.GiveUp();
        if (!await ready.ConfigureAwait(false) && await exit.ConfigureAwait(false) != 0) return null;
        string? offNetwork = await NetworkIsolation.TryAttachAsync(record.Links, cancellationToken).ConfigureAwait(false);
        if (record.NetworkNamespacePath is { } network && record.Links.Count > 0) Announcement.Begin(network, logger);
        return offNetwork;
    }

    /// <summary>The runtime may have written down the first process's number; where it did not, it is asked.</summary>
    private async Task<bool> IsAliveAsync(CancellationToken cancellationToken) =>
        runtime.RestoredInit(workDirectory) is { } init
            ? ProcessIdentity.Of(init) is { IsAlive: true }
            : (await runtime.FindAsync(Name, cancellationToken).ConfigureAwait(false))?.Status == KnownContainer.Running;

    private async Task<ContainerException> FailAsync(int? code)
    {
        string because = code is null
            ? $"CRIU did not finish within {CheckpointTimers.Release.TotalSeconds:0} s."
            : CriuLog.Explain(LogPath) ?? "It ended at once.";
        if (code is not null) await new RestoreLeftovers(runtime, logger).RemoveAsync(workDirectory, CancellationToken.None).ConfigureAwait(false);
        return new ContainerException($"The container {Name} was released but does not run. {because}", LogPath);
    }

    private void Close()
    {
        hook.Dispose();
        process.Dispose();
    }
}
