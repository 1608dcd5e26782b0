using P2PMigrate.Migration.Archives;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration;

/// <summary>
/// Writes a running container into an archive. Whatever fails, the container goes on as before; it is ended only if that was wished for, and when the archive is on the disk. What a
/// crash leaves behind is dealt with by <see cref="JobRecovery"/>, which a caller runs before.
/// </summary>
// spec: ARC-20
public sealed class CheckpointRunner(MigrationEnvironment environment)
{
    /// <summary>
    /// Makes an archive of <paramref name="container"/>, which the caller has checked with <see cref="IContainerRuntime.CheckSourceAsync"/>. Every end is an outcome,
    /// <see cref="CheckpointCompleted"/> or <see cref="MigrationFailed"/>, cancellation included (until the archive is complete). Throws <see cref="MigrationException"/> when no job
    /// was begun because another one stands in the way.
    /// </summary>
    public async Task<MigrationOutcome> RunAsync(
        ContainerDescription container, CheckpointOptions options, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (options.Path is null == options.Output is null)
            throw new ArgumentException("An archive is a file or goes to a stream.", nameof(options));
        if (options is { Output: not null, IsLeftRunning: false })
            throw new ArgumentException("Nobody knows where the bytes of a stream end up.", nameof(options));
        if (!ContainerName.TryParse(container.Name, out ContainerName name))
            return SourceOutcome.NotBegun(options.JobId, container.Name, new Failure(FailureKind.Preflight, SourceTurn.NameReason(container.Name)));
        if (container.Configuration.Length > ControlLimits.MaxConfigurationLength)
            return SourceOutcome.NotBegun(options.JobId, container.Name, new Failure(FailureKind.Preflight, "The container's configuration is too large for an archive."));
        environment.State.Create();
        using FileLock turn = SourceTurn.Take(environment, name);
        try
        {
            ArchiveFile file = options.Path is { } path ? ArchiveFile.Create(path, options.JobId, container.BundlePath, container.RootPath, environment.State.Root) : ArchiveFile.Over(options.Output!);
            await using (file.ConfigureAwait(false))
                return await RunLockedAsync(container, name, options, file, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            return SourceOutcome.NotBegun(options.JobId, name.Value, FailureReason.Of(exception, environment.State));
        }
    }

    private async Task<MigrationOutcome> RunLockedAsync(
        ContainerDescription container, ContainerName name, CheckpointOptions options, ArchiveFile file, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        var plan = new CheckpointPlan(container, name, options.JobId, JobKind.Archive, options.Path ?? "an archive", options.IsLeftRunning);
        CheckpointJob job = await CheckpointJob.BeginAsync(environment, plan, progress, cancellationToken).ConfigureAwait(false);
        await using (job.ConfigureAwait(false))
        {
            MigrationOutcome outcome = await CarryOutAsync(job, options, name, file, cancellationToken).ConfigureAwait(false);
            job.ShowEnd();
            Log.JobEnded(environment.Logger, options.JobId, name.Value, outcome.GetType().Name, (outcome as MigrationFailed)?.Reason ?? "");
            return outcome;
        }
    }

    private async Task<MigrationOutcome> CarryOutAsync(
        CheckpointJob job, CheckpointOptions options, ContainerName name, ArchiveFile file, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        AbortWatch watch = AbortWatch.Start(environment, () => options.JobId, stop.Cancel);
        (long bytes, long rootfs) = (0, 0);
        await using (watch.ConfigureAwait(false))
        {
            try
            {
                var archive = new ArchiveWriter(file.Stream, job.Files, job.Meter);
                await using (archive.ConfigureAwait(false))
                {
                    await job.WriteAsync(archive, stop.Token).ConfigureAwait(false);
                    (bytes, rootfs) = (archive.Length, archive.RootfsBytes);
                }

                file.Keep();
            }
            catch (Exception exception)
            {
                return await RollBackAsync(job, options, name, FailureReason.Of(exception, environment.State)).ConfigureAwait(false);
            }
        }

        (string? warning, bool hasEnded) = await EndAsync(job, options, name).ConfigureAwait(false);
        return new CheckpointCompleted
        {
            JobId = options.JobId,
            Container = name.Value,
            ArchiveBytes = bytes,
            RootfsBytes = rootfs,
            MemoryBytes = job.MemoryBytes,
            Warning = warning,
            HasContainerEnded = hasEnded,
            Frozen = job.Frozen,
            IsLeftRunning = options.IsLeftRunning,
        };
    }

    /// <summary>The archive is complete. Returns what is left to do by hand, and whether a container that was to go on has ended.</summary>
    private static async Task<(string? Warning, bool HasEnded)> EndAsync(CheckpointJob job, CheckpointOptions options, ContainerName name)
    {
        try
        {
            await (options.IsLeftRunning ? job.ThawAsync() : job.DestroyAsync()).ConfigureAwait(false);
            return job.EndOfContainer is not { } end ? (null, false)
                : ($"The archive is complete. {end}{(options.Path is { } path ? $" As it was when the archive was made it is brought back by: p2pmigrate restore {path}" : "")}", true);
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            string what = options.IsLeftRunning ? "could not be thawed" : "is stopped, but could not be removed";
            return ($"The archive is complete; '{name}' {what}: {exception.Message} Type: p2pmigrate resume {options.JobId}", false);
        }
    }

    private static async Task<MigrationOutcome> RollBackAsync(CheckpointJob job, CheckpointOptions options, ContainerName name, Failure failure)
    {
        MigrationFailed failed = SourceOutcome.NotBegun(options.JobId, name.Value, failure);
        job.ShowRollingBack();
        try
        {
            await job.ThawAsync().ConfigureAwait(false);
            return job.EndOfContainer is { } end ? SourceOutcome.Ended(failed, end) : failed;
        }
        catch (Exception exception) when (IsWorlds(exception))
        {
            if (job.EndOfContainer is { } end)
                return SourceOutcome.Ended(failed, end, exception.Message);
            return failed with
            {
                Reason = $"{failure.Reason} '{name}' is frozen here and could not be thawed: {exception.Message} Type: p2pmigrate resume {options.JobId}",
                RunningAt = ContainerSide.None,
                IsInDoubt = true,
            };
        }
    }

    private static bool IsWorlds(Exception exception) =>
        exception is ContainerException or SnapshotException or IOException or UnauthorizedAccessException or OperationCanceledException;
}
