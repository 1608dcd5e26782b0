using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Archives;

/// <summary>What is to be written, and what it is called in the journal.</summary>
/// <param name="Container">The container as it runs.</param>
/// <param name="Name">Its name.</param>
/// <param name="JobId">The job.</param>
/// <param name="Kind">What the job is part of.</param>
/// <param name="Place">Where the archive goes, as the user may type it.</param>
/// <param name="IsLeftRunning">Does the container go on afterwards?</param>
internal sealed record CheckpointPlan(ContainerDescription Container, ContainerName Name, JobId JobId, JobKind Kind, string Place, bool IsLeftRunning);

/// <summary>
/// One container into one archive: its steps, and their undoing. The journal's states are those of a source that has no peer: what was begun is thawed by whoever finds it, what was
/// committed (the archive is on the disk) is destroyed; only a dump that was handed over (<see cref="HandOver"/>) waits for a word. Owns the journal, the fence and the key.
/// </summary>
// spec: ARC-20
internal sealed class CheckpointJob : IAsyncDisposable
{
    private readonly MigrationEnvironment _environment;
    private readonly ArchiveHead _head;
    private readonly PageKey _key;
    private readonly JobJournal _journal;
    private readonly ProgressReporter _progress;
    private readonly TransferMeter _meter;
    private readonly JobFiles _files;
    private IFreezePlan? _plan;
    private IFence? _fence;
    private long? _stoppedAt;

    private CheckpointJob(MigrationEnvironment environment, ArchiveHead head, PageKey key, JournalHead journal, IProgress<MigrationProgress>? progress)
    {
        (_environment, _head, _key) = (environment, head, key);
        _progress = new ProgressReporter(environment, journal.JobId, head.Name.Value, progress);
        _meter = new TransferMeter(_progress.Advance);
        _progress.Watch(_meter);
        _files = new JobFiles(environment.State, journal.JobId);
        _journal = SourceTurn.Begin(environment, journal);
    }

    /// <summary>The container's root file system, and what goes with it.</summary>
    public TreeLocation Files => _head.Container.Files;

    /// <summary>How long the container has stood still.</summary>
    public TimeSpan Frozen { get; private set; }

    /// <summary>Memory that the dump held, in bytes.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>A sentence about a container that was to be thawed and had ended; else null.</summary>
    public string? EndOfContainer { get; private set; }

    /// <summary>Counts what goes into the archive.</summary>
    public TransferMeter Meter => _meter;

    /// <summary>Begins a job of a container whose lock the caller has.</summary>
    public static async Task<CheckpointJob> BeginAsync(
        MigrationEnvironment environment, CheckpointPlan plan, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        (ContainerDescription container, ContainerName name) = (plan.Container, plan.Name);
        MachineFacts facts = await (environment.Runtime.Of(container.Runtime) ?? environment.Runtime).DescribeMachineAsync(cancellationToken).ConfigureAwait(false);
        long rootfsBytes = await Task.Run(() => RootfsEstimate.Of(container.Files), cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = environment.Time.GetUtcNow();
        var journal = new JournalHead(plan.JobId, JobRole.Source, name, container.Runtime, container.BundlePath, container.RootPath, plan.Place, now)
        {
            Kind = plan.Kind,
            Place = plan.Place,
        };
        PageKey key = PageKey.Create();
        try
        {
            return new CheckpointJob(environment, new ArchiveHead(name, container, facts, rootfsBytes, now, key.Export(), plan.IsLeftRunning), key, journal, progress);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Writes the archive. The container is frozen when this returns.</summary>
    public async Task WriteAsync(ArchiveWriter archive, CancellationToken cancellationToken)
    {
        Write(SourceState.Copying);
        _progress.Enter(MigrationPhase.Copying);
        await archive.WriteContentAsync(_head, cancellationToken).ConfigureAwait(false);
        _plan = await _environment.Runtime.PrepareFreezeAsync(_head.Container, _files.Work, cancellationToken).ConfigureAwait(false);
        Write(SourceState.Freezing);
        _progress.Enter(MigrationPhase.Freezing);
        _fence = await _plan.FreezeAsync(() => _stoppedAt = _environment.Time.GetTimestamp(), cancellationToken).ConfigureAwait(false);
        _progress.Enter(MigrationPhase.Dumping);
        await DumpAsync(archive, cancellationToken).ConfigureAwait(false);
        _progress.Enter(MigrationPhase.Shipping);
        await archive.FinishAsync(_files.Images, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Something failed.</summary>
    public void ShowRollingBack() => _progress.Enter(MigrationPhase.RollingBack);

    /// <summary>The container goes on where it was, unless <see cref="EndOfContainer"/> says that it has ended. Also for a job that failed: idempotent.</summary>
    // spec: MIG-14
    public async Task ThawAsync()
    {
        await QuietDisposal.OfAsync(_plan, _environment.Logger).ConfigureAwait(false);

        // A freeze that failed has undone itself, unless that failed too: then its record is still there.
        _fence ??= await _environment.Runtime.ReopenFenceAsync(_files.Work, CancellationToken.None).ConfigureAwait(false);
        EndOfContainer = await EndedContainer.ThawAsync(_environment.Runtime, _head.Container, _fence).ConfigureAwait(false);
        StopTheClock();
        Forget(SourceState.RolledBack);
    }

    /// <summary>The archive is where others can take it from: the container stays frozen, and nobody thaws or ends it without a word from there.</summary>
    // spec: DEP-22
    public void HandOver()
    {
        Write(SourceState.Committed);
        _progress.Enter(null);
        StopTheClock();
    }

    /// <summary>Nothing more is done.</summary>
    public void ShowEnd() => _progress.Enter(null);

    /// <summary>The archive is on the disk: the container is ended for good.</summary>
    // spec: ARC-21
    public async Task DestroyAsync()
    {
        Write(SourceState.Destroying);
        _progress.Enter(MigrationPhase.Destroying);
        StopTheClock();
        await _fence!.DestroyAsync(CancellationToken.None).ConfigureAwait(false);
        _files.RemoveBundleIfOurs(_head.Name, _head.Container.BundlePath);
        Forget(SourceState.Completed);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await QuietDisposal.OfAsync(_plan, _environment.Logger).ConfigureAwait(false);
        await QuietDisposal.OfAsync(_fence, _environment.Logger).ConfigureAwait(false);
        _journal.Dispose();
        _key.Dispose();
    }

    private async Task DumpAsync(ArchiveWriter archive, CancellationToken cancellationToken)
    {
        _meter.Expect(_head.Container.MemoryBytes);
        using ArchivePageSink pages = await archive.BeginMemoryAsync(_key, cancellationToken).ConfigureAwait(false);
        await _fence!.DumpAsync(_files.Images, pages, cancellationToken).ConfigureAwait(false);
        await pages.CompleteAsync(cancellationToken).ConfigureAwait(false);
        MemoryBytes = pages.Pages * PageRun.PageSize;
    }

    private void StopTheClock()
    {
        if (_stoppedAt is { } start)
            Frozen = _environment.Time.GetElapsedTime(start);
    }

    private void Write(SourceState state)
    {
        _journal.Append((int)state, _environment.Time.GetUtcNow());
        _environment.JournalWritten?.Invoke(JobRole.Source, (int)state);
    }

    private void Forget(SourceState end)
    {
        Write(end);
        _files.Remove();
        _journal.Delete();
    }
}
