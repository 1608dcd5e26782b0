using System.Diagnostics;
using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// A restored container that waits in <see cref="RestoreHook"/>. If our process is killed before the release, the hook reads the end of its FIFO and
/// fails, CRIU kills the restored processes and the runtime forgets them. If everything of ours is killed at once (a service stopped as
/// a control group), the processes stay in CRIU's restorer code, which waits for a CRIU that is gone, or in a frozen cgroup: they never
/// run, and <see cref="RestoreLeftovers"/> removes them.
/// </summary>
/// <param name="runtime">The runtime that restores.</param>
/// <param name="logger">For what is done.</param>
/// <param name="record">What the restore has made.</param>
/// <param name="workDirectory">Where that is written down.</param>
/// <param name="hook">What holds it.</param>
/// <param name="criu">What is held has it as its tracer.</param>
/// <param name="process">The runtime's command.</param>
/// <param name="giving">Who gives pages that are left for later; null when none are.</param>
/// <param name="again">Restores it once more, with all memory first, after what failed has been removed; null when nothing was left for later.</param>
internal sealed class HeldContainer(
    IRuntimeProgram runtime, ILogger logger, RestoreRecord record, string workDirectory, RestoreHook hook, LettingGo criu, DetachedProcess process, LateGiving? giving, Func<Exception, CancellationToken, Task<HeldContainer>>? again)
    : IHeldContainer
{
    private bool _over;

    private string Name => record.Container;

    private string LogPath => Path.Combine(workDirectory, "restore.log");

    /// <summary>
    /// CRIU takes its own code out of the processes and ends, and so does the runtime; only then, with nothing left that could fail, is the frozen container put on its network and thawed. Throws
    /// when it did not come so far; then nothing of it is left, and it has not run, but perhaps for the moment after CRIU was killed. With pages left for later, that is tried once more without, unless it may have run:
    /// its memory would be older than its files.
    /// </summary>
    // spec: MIG-59, MEM-44
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReleaseOnceAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (again is not null && !criu.MayHaveRun && failure is ContainerException or IOException)
        {
            HeldContainer held = await again(failure, cancellationToken).ConfigureAwait(false);
            await using (held.ConfigureAwait(false)) await held.ReleaseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReleaseOnceAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_over, this);
        long start = Stopwatch.GetTimestamp();
        _over = true;
        (int? code, string? because) = criu.IsAlive ? await LetGoAsync(cancellationToken).ConfigureAwait(false) : (null, "CRIU was killed while it was held.");
        Close();
        if (code != 0 || because is not null) throw await FailAsync(because ?? Reason(code)).ConfigureAwait(false);
        try
        {
            if (!await IsWholeAsync(cancellationToken).ConfigureAwait(false)) throw Failure("It ended at once.");
            await new RestoredCopy(record, workDirectory, logger).LetRunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await RemoveAsync(CancellationToken.None).ConfigureAwait(false);
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

    /// <summary>Gives the word, and returns the runtime's exit code, and why it must not run even with a good one.</summary>
    private async Task<(int? Code, string? Because)> LetGoAsync(CancellationToken cancellationToken)
    {
        hook.Release();
        using var stop = new CancellationTokenSource();
        Task guard = criu.GuardAsync(stop.Token);
        try
        {
            return await EndAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await guard.ConfigureAwait(false);
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

    private string Reason(int? code) => code switch
    {
        _ when criu.MayHaveRun => "CRIU was killed as it let go of it. It may have run for a moment before it was ended.",
        null => $"CRIU did not finish within {CheckpointTimers.Release.TotalSeconds:0} s.",
        _ => CriuLog.Explain(LogPath) ?? $"{runtime.Name} or CRIU was killed, or failed, as it let go of it.",
    };

    private async Task<ContainerException> FailAsync(string because)
    {
        // Before anything that takes time: a CRIU that is still there might let go of it.
        if (record.CgroupPath is { } path) await new Cgroup(path).KillAsync(CheckpointTimers.Kill, CancellationToken.None).ConfigureAwait(false);
        await RemoveAsync(CancellationToken.None).ConfigureAwait(false);
        return Failure(because);
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
