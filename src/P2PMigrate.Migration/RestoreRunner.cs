using P2PMigrate.Migration.Archives;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration;

/// <summary>
/// Runs the container of an archive. Nothing runs before the archive was verified to its end, and whatever fails before leaves nothing behind. What a crash leaves is
/// dealt with by <see cref="JobRecovery"/>, which a caller runs before.
/// </summary>
// spec: ARC-22
public sealed class RestoreRunner(MigrationEnvironment environment)
{
    /// <summary>
    /// Reads an archive from <paramref name="input"/>, which stays the caller's and need not be seekable, and runs its container. Every end is an outcome, <see cref="RestoreCompleted"/> or
    /// <see cref="MigrationFailed"/>, whose <see cref="MigrationFailed.RunningAt"/> is <see cref="ContainerSide.None"/>.
    /// </summary>
    public async Task<MigrationOutcome> RunAsync(
        Stream input, JobId id, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        environment.State.Create();
        using var origin = new ArchiveOrigin(environment);
        return await RunAsync(input, origin, id, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same of an archive whose <paramref name="origin"/> has a say. The state directory is there.</summary>
    internal async Task<MigrationOutcome> RunAsync(
        Stream input, IArchiveOrigin origin, JobId id, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        string name = "";
        var archive = new ArchiveReader(input);
        await using (archive.ConfigureAwait(false))
        {
            try
            {
                long start = environment.Time.GetTimestamp();
                ArchiveHead head = await archive.ReadHeadAsync(cancellationToken).ConfigureAwait(false);
                name = head.Name.Value;
                origin.Accept(head);
                RestoreCompleted completed = await RestoreAsync(archive, origin, head, id, progress, cancellationToken).ConfigureAwait(false);
                return completed with { Total = environment.Time.GetElapsedTime(start) };
            }
            catch (Exception exception)
            {
                return Failed(id, name, exception);
            }
        }
    }

    private async Task<RestoreCompleted> RestoreAsync(
        ArchiveReader archive, IArchiveOrigin origin, ArchiveHead head, JobId id, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        Propose proposal = head.ToProposal(id);
        var reporter = new ProgressReporter(environment, id, head.Name.Value, progress);
        var meter = new TransferMeter(reporter.Advance);
        reporter.Watch(meter);
        reporter.Enter(MigrationPhase.Checking);
        using FileLock turn = await new TargetCheck(environment).RunAsync(proposal, cancellationToken).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var job = new RestoreJob(environment, origin, head, proposal, meter, reporter);
        AbortWatch watch = AbortWatch.Start(environment, () => id, stop.Cancel);
        await using (job.ConfigureAwait(false))
        await using (watch.ConfigureAwait(false))
        {
            try
            {
                await job.ReadAsync(archive, stop.Token).ConfigureAwait(false);
                await job.RestoreAsync(stop.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                await CleanUpAsync(job, exception).ConfigureAwait(false);
                throw;
            }

            reporter.Enter(null);
            return new RestoreCompleted
            {
                JobId = id, Container = head.Name.Value, MemoryBytes = job.MemoryBytes, CreatedAt = head.CreatedAt, WasLeftRunning = head.WasLeftRunning, Total = TimeSpan.Zero,
            };
        }
    }

    /// <summary>The first reason is the one that is told, and what else fails stands behind it.</summary>
    private static async Task CleanUpAsync(RestoreJob job, Exception first)
    {
        if (job.Runs)
            throw new RestoredAllTheSameException(first);
        try
        {
            await job.CleanUpAsync().ConfigureAwait(false);
        }
        catch (Exception second) when (second is ContainerException or IOException or UnauthorizedAccessException)
        {
            throw new ContainerException($"{first.Message} What was there of it could not be removed: {second.Message}", inner: first);
        }
    }

    private MigrationFailed Failed(JobId id, string name, Exception exception)
    {
        Failure failure = exception is MigrationException { Fault: MigrationFault.PeerBrokeProtocol }
            ? new Failure(FailureKind.Other, $"The archive is whole but makes no sense: {exception.Message}")
            : FailureReason.Of(exception, environment.State);
        string left = File.Exists(environment.State.Journal(id)) ? $" Something of the job is left here; type: p2pmigrate resume {id}" : "";
        return SourceOutcome.NotBegun(id, name, failure) with { Reason = failure.Reason + left, RunningAt = exception is RestoredAllTheSameException ? ContainerSide.Target : ContainerSide.None };
    }

    /// <summary>It runs, and something failed after that.</summary>
    private sealed class RestoredAllTheSameException(Exception failure) : Exception($"The container was restored here and let run; then something else failed. {failure.Message}", failure);
}
