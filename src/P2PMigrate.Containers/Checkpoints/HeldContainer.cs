using System.Diagnostics;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// A restored container that waits in <see cref="RestoreHook"/>. If our process is killed before the release, the hook reads the end of its FIFO and
/// fails, CRIU kills the restored processes and the runtime forgets them. If everything of ours is killed at once (a service stopped as
/// a control group), the processes stay in CRIU's restorer code, which waits for a CRIU that is gone, or in a frozen cgroup: they never
/// run, and <see cref="RestoreLeftovers"/> removes them. Between the two they may run: see <see cref="ReleaseGuard"/>.
/// </summary>
/// <param name="runtime">The runtime that restores.</param>
/// <param name="logger">For what is done.</param>
/// <param name="record">What the restore has made.</param>
/// <param name="workDirectory">Where that is written down.</param>
/// <param name="hook">What holds it.</param>
/// <param name="guard">Watches over the release.</param>
/// <param name="process">The runtime's command.</param>
/// <param name="giving">Who gives pages that are left for later; null when none are.</param>
/// <param name="again">Restores it once more, with all memory first, after what failed has been removed; null when nothing was left for later.</param>
internal sealed class HeldContainer(
    IRuntimeProgram runtime, ILogger logger, RestoreRecord record, string workDirectory, RestoreHook hook, ReleaseGuard guard, DetachedProcess process, LateGiving? giving, Func<Exception, CancellationToken, Task<HeldContainer>>? again)
    : IHeldContainer
{
    private bool _over;
    private bool _hasVanished; // removed without having run

    private string Name => record.Container;

    private string LogPath => Path.Combine(workDirectory, "restore.log");

    /// <summary>
    /// CRIU takes its own code out of the processes and ends, and so does the runtime; only then, with nothing left that could fail, is the frozen container put on its network and thawed. Throws
    /// when it did not come so far; then nothing of it is left, and it has not run, but perhaps for the moment until it was seen that CRIU was killed. With pages left for later, that is tried once more without, unless it may have run:
    /// its memory would be older than its files.
    /// </summary>
    // spec: MIG-59, MEM-44
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReleaseOnceAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (again is not null && _hasVanished && failure is ContainerException or IOException)
        {
            HeldContainer held = await again(failure, cancellationToken).ConfigureAwait(false);
            await using (held.ConfigureAwait(false)) await held.ReleaseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReleaseOnceAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_over, this);
        long start = Stopwatch.GetTimestamp();
        string? because = WhyLost();
        if (because is null) hook.Release();
        _over = true;
        because ??= await LetGoAsync(cancellationToken).ConfigureAwait(false);
        Close();
        if (because is not null || guard.CopyMayRun) throw await FailAsync(because).ConfigureAwait(false);
        try
        {
            if (!await IsWholeAsync(cancellationToken).ConfigureAwait(false)) throw Failure("It ended at once.");
            await new RestoredCopy(record, workDirectory, logger).LetRunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(CancellationToken.None).ConfigureAwait(false);
            _hasVanished = true;
            throw;
        }

        logger.Released(Name, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    public async Task AbortAsync(CancellationToken cancellationToken)
    {
        if (_over) return;
        _over = true;
        Close();
        await RemoveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await AbortAsync(CancellationToken.None).ConfigureAwait(false);

    /// <summary>Why the word need not be given; null when all that it needs is there.</summary>
    private string? WhyLost() =>
        !guard.HasCriu ? "CRIU was killed while it was held." : giving is { IsKept: false } ? "The programs that keep its memory pages were killed while it was held." : null;

    /// <summary>Waits until CRIU and the runtime have ended; returns why it must not run, or null.</summary>
    private async Task<string?> LetGoAsync(CancellationToken cancellationToken)
    {
        using var stop = new CancellationTokenSource();
        Task watch = guard.WatchAsync(stop.Token);
        try
        {
            return await EndAsync(cancellationToken).ConfigureAwait(false) switch
            {
                (_, { } lacking) => lacking,
                (0, _) => null,
                (null, _) => $"CRIU did not finish within {CheckpointTimers.Release.TotalSeconds:0} s.",
                _ => CriuLog.Explain(LogPath) ?? $"{runtime.Name} or CRIU was killed, or failed, as it let go of it.",
            };
        }
        catch (Exception unexpected)
        {
            return unexpected.Message; // the word is given: what is there must be ended in any case
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
        }
    }

    /// <summary>The runtime's exit code, and why pages that are left for later would be lacking. CRIU itself may want one of them: whoever gives them must not be missing long.</summary>
    private async Task<(int? Code, string? Lacking)> EndAsync(CancellationToken cancellationToken)
    {
        Task<int?> end = process.WaitAsync(CheckpointTimers.Release);
        if (giving is null) return (await end.ConfigureAwait(false), null);
        using var stop = new CancellationTokenSource();
        Task watch = giving.WatchAsync(stop.Token);
        try
        {
            if (await Task.WhenAny(end, watch).ConfigureAwait(false) == watch) await watch.ConfigureAwait(false); // without pages CRIU may not come to its end
            int? code = await end.ConfigureAwait(false);
            if (code == 0) await giving.RequireWholeAsync(watch, cancellationToken).ConfigureAwait(false);
            return (code, null);
        }
        catch (Exception lacking) when (lacking is ContainerException or IOException)
        {
            return (null, lacking.Message);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // asked again before the job ends
        }
    }

    /// <summary>The runtime may have written down the first process's number; where it did not, it is asked.</summary>
    private async Task<bool> IsWholeAsync(CancellationToken cancellationToken) =>
        runtime.RestoredInit(workDirectory) is { } init
            ? ProcessIdentity.Of(init) is { IsAlive: true }
            : (await runtime.FindAsync(Name, cancellationToken).ConfigureAwait(false)) is { Lives: true };

    /// <summary>Ends everything, and only then asks whether it may have run: a CRIU that is still there might let go of it.</summary>
    private async Task<ContainerException> FailAsync(string? because)
    {
        try
        {
            await guard.KillAsync().ConfigureAwait(false);
            if (guard.CopyMayRun) because = $"CRIU let go of it before it could be stopped, so that it may have run for a moment before it was ended. {because}".TrimEnd();
            await RemoveAsync(CancellationToken.None).ConfigureAwait(false);
            _hasVanished = !guard.CopyMayRun;
            return Failure(because ?? "CRIU failed.");
        }
        catch (Exception removal) when (removal is ContainerException or IOException)
        {
            return Failure($"{because} It could not be removed: {removal.Message}".TrimStart());
        }
    }

    private ContainerException Failure(string because) => new($"The container {Name} could not be let run. {because}", LogPath);

    private Task RemoveAsync(CancellationToken cancellationToken) => new RestoreLeftovers(runtime, logger).RemoveAsync(workDirectory, cancellationToken);

    private void Close()
    {
        hook.Dispose();
        process.Dispose();
        giving?.Dispose();
    }
}
