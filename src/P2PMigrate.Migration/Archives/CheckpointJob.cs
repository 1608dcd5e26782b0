using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Archives;

/// <summary>
/// One container into one archive: its steps, and their undoing. The journal's states are those of a source that has no peer: what was begun is thawed by whoever finds it, what was
/// committed (the archive is on the disk) is destroyed. Owns the fence.
/// </summary>
// spec: ARC-20
internal sealed class CheckpointJob(
    MigrationEnvironment environment, ArchiveHead head, PageKey key, JobId id, JobJournal journal, TransferMeter meter, ProgressReporter progress) : IAsyncDisposable
{
    private readonly JobFiles _files = new(environment.State, id);
    private IFreezePlan? _plan;
    private IFence? _fence;
    private long? _stoppedAt;

    /// <summary>The container's root file system.</summary>
    public string RootPath => head.Container.RootPath;

    /// <summary>How long the container has stood still.</summary>
    public TimeSpan Frozen { get; private set; }

    /// <summary>Memory that the dump held, in bytes.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Writes the archive. The container is frozen when this returns.</summary>
    public async Task WriteAsync(ArchiveWriter archive, CancellationToken cancellationToken)
    {
        Write(SourceState.Copying);
        progress.Enter(MigrationPhase.Copying);
        await archive.WriteContentAsync(head, cancellationToken).ConfigureAwait(false);
        _plan = await environment.Runtime.PrepareFreezeAsync(head.Container, _files.Work, cancellationToken).ConfigureAwait(false);
        Write(SourceState.Freezing);
        progress.Enter(MigrationPhase.Freezing);
        _fence = await _plan.FreezeAsync(() => _stoppedAt = environment.Time.GetTimestamp(), cancellationToken).ConfigureAwait(false);
        progress.Enter(MigrationPhase.Dumping);
        await DumpAsync(archive, cancellationToken).ConfigureAwait(false);
        progress.Enter(MigrationPhase.Shipping);
        await archive.FinishAsync(_files.Images, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Something failed.</summary>
    public void ShowRollingBack() => progress.Enter(MigrationPhase.RollingBack);

    /// <summary>The container goes on where it was. Also for a job that failed: idempotent.</summary>
    public async Task ThawAsync()
    {
        await QuietDisposal.OfAsync(_plan, environment.Logger).ConfigureAwait(false);

        // A freeze that failed has undone itself, unless that failed too: then its record is still there.
        _fence ??= await environment.Runtime.ReopenFenceAsync(_files.Work, CancellationToken.None).ConfigureAwait(false);
        if (_fence is not null)
            await _fence.ThawAsync(CancellationToken.None).ConfigureAwait(false);
        StopTheClock();
        Forget(SourceState.RolledBack);
    }

    /// <summary>The archive is on the disk: the container is ended for good.</summary>
    // spec: ARC-21
    public async Task DestroyAsync()
    {
        Write(SourceState.Destroying);
        progress.Enter(MigrationPhase.Destroying);
        StopTheClock();
        await _fence!.DestroyAsync(CancellationToken.None).ConfigureAwait(false);
        _files.RemoveBundleIfOurs(head.Name, head.Container.BundlePath);
        Forget(SourceState.Completed);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await QuietDisposal.OfAsync(_plan, environment.Logger).ConfigureAwait(false);
        await QuietDisposal.OfAsync(_fence, environment.Logger).ConfigureAwait(false);
    }

    private async Task DumpAsync(ArchiveWriter archive, CancellationToken cancellationToken)
    {
        meter.Expect(head.Container.MemoryBytes);
        using ArchivePageSink pages = await archive.BeginMemoryAsync(key, cancellationToken).ConfigureAwait(false);
        await _fence!.DumpAsync(_files.Images, pages, cancellationToken).ConfigureAwait(false);
        await pages.CompleteAsync(cancellationToken).ConfigureAwait(false);
        MemoryBytes = pages.Pages * PageRun.PageSize;
    }

    private void StopTheClock()
    {
        if (_stoppedAt is { } start)
            Frozen = environment.Time.GetElapsedTime(start);
    }

    private void Write(SourceState state)
    {
        journal.Append((int)state, environment.Time.GetUtcNow());
        environment.JournalWritten?.Invoke(JobRole.Source, (int)state);
    }

    private void Forget(SourceState end)
    {
        Write(end);
        _files.Remove();
        journal.Delete();
    }
}
