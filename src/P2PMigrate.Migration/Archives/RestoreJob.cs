using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Archives;

/// <summary>
/// One archive into one container: its steps, and their undoing. The journal's states are those of a target. Owns the journal and the held container.
/// </summary>
// spec: ARC-22
internal sealed class RestoreJob(
    MigrationEnvironment environment, IArchiveOrigin origin, ArchiveHead head, Propose proposal, TransferMeter meter, ProgressReporter progress) : IAsyncDisposable
{
    private readonly JobFiles _files = new(environment.State, proposal.JobId);

    // The container may have grown after its archive was begun, so that what the head says bounds nothing: the disk does.
    private readonly ContentBudget _room = ContentBudget.OfBytes(new DriveInfo(environment.State.Root).AvailableFreeSpace);
    private JobJournal? _journal;
    private IHeldContainer? _held;
    private bool _isRestoreBegun;
    private bool _runs;

    /// <summary>Memory that the archive held, in bytes.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Makes the bundle and fills it; the archive is verified to its end when this returns.</summary>
    public async Task ReadAsync(ArchiveReader archive, CancellationToken cancellationToken)
    {
        Begin();
        await environment.Runtime.PrepareRestoreAsync(Request, cancellationToken).ConfigureAwait(false);
        progress.Enter(MigrationPhase.Copying);
        var tree = new ArchiveTreeReader(environment.State.Rootfs(head.Name), origin.Content, _room, meter);
        await archive.ExpectAsync(Wire.ArchivePart.ArchiveContent, cancellationToken).ConfigureAwait(false);
        await tree.ReadContentAsync(archive.Input, cancellationToken).ConfigureAwait(false);
        await archive.ExpectAsync(Wire.ArchivePart.ArchiveMemory, cancellationToken).ConfigureAwait(false);
        await ReadMemoryAsync(archive, cancellationToken).ConfigureAwait(false);
        await archive.ExpectAsync(Wire.ArchivePart.ArchiveImages, cancellationToken).ConfigureAwait(false);
        await new ImageReceiver(_files.Images, meter).ReceiveAsync(archive.Input, cancellationToken).ConfigureAwait(false);
        await archive.ExpectAsync(Wire.ArchivePart.ArchiveTree, cancellationToken).ConfigureAwait(false);
        await tree.ReadTreeAsync(archive.Input, cancellationToken).ConfigureAwait(false);
        await archive.FinishAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Builds the container, held, and lets it run.</summary>
    public async Task RestoreAsync(CancellationToken cancellationToken)
    {
        Write(TargetState.Restoring);
        progress.Enter(MigrationPhase.Restoring);
        CheckFailedException.ThrowIfBlocked(await environment.Runtime.VerifyAsync(Request, cancellationToken).ConfigureAwait(false));
        _isRestoreBegun = true;
        _held = await environment.Runtime.RestoreAsync(Request, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        await origin.ClaimAsync(cancellationToken).ConfigureAwait(false);
        Write(TargetState.Releasing);
        progress.Enter(MigrationPhase.Committing);
        await _held.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        _runs = true;
        await environment.Runtime.CompleteAsync(Request, cancellationToken).ConfigureAwait(false); // spec: MIG-100
        Forget(TargetState.Completed);
    }

    /// <summary>Does the container run already? Then what failed is the forgetting of the job, which the next start does.</summary>
    public bool Runs => _runs;

    /// <summary>Something failed: nothing of the container is left, unless it runs already.</summary>
    public async Task CleanUpAsync()
    {
        if (_journal is null || _runs)
            return;
        progress.Enter(MigrationPhase.RollingBack);
        if (_held is not null)
            await _held.AbortAsync(CancellationToken.None).ConfigureAwait(false);
        if (_isRestoreBegun)
            await RecoveryEffects.RemoveRestoredAsync(environment.Runtime, Request).ConfigureAwait(false);
        _files.RemoveBundle(head.Name);
        await origin.GiveUpAsync().ConfigureAwait(false);
        Forget(TargetState.Aborted);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await QuietDisposal.OfAsync(_held, environment.Logger).ConfigureAwait(false);
        _journal?.Dispose();
    }

    private RestoreRequest Request => new()
    {
        Container = head.Container,
        BundlePath = environment.State.Bundle(head.Name),
        RootPath = environment.State.Rootfs(head.Name),
        ImageDirectory = _files.Images,
        WorkDirectory = _files.Work,
    };

    private void Begin()
    {
        var journalHead = new JournalHead(
            proposal.JobId, JobRole.Target, head.Name, head.Container.Runtime, Request.BundlePath, Request.RootPath, origin.Name, environment.Time.GetUtcNow())
        {
            Kind = origin.Kind,
            Place = origin.Name,
            Dump = origin.Dump,
        };
        _journal = JobJournal.Create(environment.State.Journal(proposal.JobId), journalHead);
        Write(TargetState.Receiving);
        _files.Create(journalHead);
        _files.CreateBundle(head.Name, head.Container.Configuration);
    }

    private async Task ReadMemoryAsync(ArchiveReader archive, CancellationToken cancellationToken)
    {
        progress.Enter(MigrationPhase.Dumping);
        long claimed = head.Container.MemoryBytes;
        IPageSink writer = environment.Runtime.CreatePageWriter(_files.Images);
        try
        {
            using var kept = new KeptPages(environment.State.Job(proposal.JobId), claimed);
            var header = new StreamHeader(proposal.JobId, ContentKind.Memory, PageKey: head.PageKey);
            MemoryBytes = await new PageReceiver(writer, kept, _room, meter).ReceiveAsync(archive.Input, header, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await QuietDisposal.OfAsync(writer as IAsyncDisposable, environment.Logger).ConfigureAwait(false);
        }
    }

    private void Write(TargetState state)
    {
        _journal!.Append((int)state, environment.Time.GetUtcNow());
        environment.JournalWritten?.Invoke(JobRole.Target, (int)state);
    }

    private void Forget(TargetState end)
    {
        Write(end);
        _files.Remove();
        _journal!.Delete();
    }
}
