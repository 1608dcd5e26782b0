using System.Diagnostics;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// What the target's machine asks for, done: check, admit, receive, restore, release, clean up. One request at a time beside the receiving;
/// a clean-up first stops and awaits everything. Owns the journal, the held container, the container's lock and its share of the chunk store.
/// </summary>
internal sealed class TargetEffects(
    MigrationEnvironment environment, ITunnelSession session, ReceiveOptions options, TransferMeter meter, Action<StoredContent> stored) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TargetCheck _check = new(environment);
    private FileLock? _turn;
    private ChunkStoreShare.Lease? _chunks;
    private JobJournal? _journal;
    private JobFiles? _files;
    private ContentReceiver? _receiver;
    private IHeldContainer? _held;
    private ILateMemory? _late;
    private readonly CancellationTokenSource _patience = new();
    private Task _completion = Task.CompletedTask;
    private bool _isRestoreBegun;
    private bool _mayBeAskedFor;    // from here on the source may commit, and not hear how it ends

    /// <summary>Where the bytes are counted.</summary>
    public TransferMeter Meter => meter;

    /// <summary>May memory of it follow later? Known when it is admitted.</summary>
    // spec: MIG-101
    public bool TakesLate { get; private set; }

    /// <summary>Does the container run, or is it about to, before all of its memory has come?</summary>
    // spec: MIG-103
    public bool HasLate => _late is not null;

    /// <summary>Does one thing. Returns what <see cref="TargetWork.Restore"/> took. Whatever goes wrong is thrown.</summary>
    public async Task<PrepareTimes> CarryOutAsync(TargetRequest request, Propose proposal, Task previous)
    {
        if (request.Work == TargetWork.CleanUp)
            await _stop.CancelAsync().ConfigureAwait(false);
        await previous.ConfigureAwait(false);
        if (request.Journal is { } state)
            Write(state);
        switch (request.Work)
        {
            case TargetWork.Check:
                _turn = await _check.RunAsync(proposal, _stop.Token).ConfigureAwait(false);
                _chunks = environment.State.ChunkStore.Take(options.PeerName, environment.StoreBytes);
                break;
            case TargetWork.Admit:
                await AdmitAsync(proposal).ConfigureAwait(false);
                break;
            case TargetWork.Restore:
                return await RestoreAsync(proposal).ConfigureAwait(false);
            case TargetWork.Release:
                await _held!.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
                _completion = RecoveryEffects.CompleteAsync(environment.Runtime, RequestOf(proposal), proposal.JobId, _patience.Token); // from now on it is watched, however long the source is silent
                break;
            case TargetWork.Forget:
                await WaitForCompletionAsync(proposal).ConfigureAwait(false);
                Forget(TargetState.Completed);
                break;
            case TargetWork.CleanUp:
                await CleanUpAsync(proposal).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"Nobody knows how to {request.Work}.");
        }

        return default;
    }

    /// <summary>Takes in bulk streams from now on; <paramref name="failed"/> gets why one could not be taken in.</summary>
    public void StartReceiving(Action<Exception> failed) => _receiver!.Start(failed, _stop.Token);

    /// <summary>Does not wait any more for a container that runs here and still needs something of the job, which stays.</summary>
    public void StopWaiting() => _patience.Cancel();

    /// <summary>The source knows how the job has ended.</summary>
    // spec: MIG-192
    public void ForgetEnd(JobId job) => EndedJobs.Forget(environment.State, job);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _patience.CancelAsync().ConfigureAwait(false);
        await _completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _patience.Dispose();
        if (_receiver is not null)
            await _receiver.DisposeAsync().ConfigureAwait(false);
        await QuietDisposal.OfAsync(_late, environment.Logger).ConfigureAwait(false);
        await QuietDisposal.OfAsync(_held, environment.Logger).ConfigureAwait(false);
        _chunks?.Dispose();
        _journal?.Dispose();
        _turn?.Dispose();
        _stop.Dispose();
    }

    /// <summary>The ticket first: a job that it does not admit leaves no trace. Then the journal, so that recovery finds whatever follows.</summary>
    // spec: MIG-07
    private async Task AdmitAsync(Propose proposal)
    {
        if (await options.AdmitAsync(_stop.Token).ConfigureAwait(false) is { } reason)
            throw new CheckFailedException(reason, []);
        StateDirectory state = environment.State;
        _files = new JobFiles(state, proposal.JobId);
        JournalHead head = HeadOf(proposal);
        _journal = JobJournal.Create(state.Journal(proposal.JobId), head);
        Write(TargetState.Receiving);
        EndedJobs.ForgetEarlier(state, head);
        _files.Create(head);
        _files.CreateBundle(proposal.Name, proposal.Container.Configuration);
        await environment.Runtime.PrepareRestoreAsync(RequestOf(proposal), _stop.Token).ConfigureAwait(false);
        TakesLate = environment.Runtime.TakesLateMemory(RequestOf(proposal));
        _receiver = new ContentReceiver(session, proposal, state, environment.Runtime.CreatePageWriter(_files.Images), _chunks!.Store, environment.Logger, meter, TakesLate, stored);
    }

    /// <summary>The disk is flushed while CRIU restores: both must be done before anyone commits.</summary>
    // spec: MIG-28, MIG-29
    private async Task<PrepareTimes> RestoreAsync(Propose proposal)
    {
        RestoreRequest request = RequestOf(proposal);
        Task flushing = Task.Run(_receiver!.Flush);
        long started = Stopwatch.GetTimestamp();
        CheckFailedException.ThrowIfBlocked(await environment.Runtime.VerifyAsync(request, _stop.Token).ConfigureAwait(false));
        TimeSpan verify = Stopwatch.GetElapsedTime(started);
        _isRestoreBegun = true;
        _late = TakesLate ? environment.Runtime.OpenLateMemory(request) : null;
        _receiver.Await(_late);
        _held = await environment.Runtime.RestoreAsync(request, _stop.Token).ConfigureAwait(false);
        TimeSpan restore = Stopwatch.GetElapsedTime(started) - verify;
        await flushing.ConfigureAwait(false);
        return new PrepareTimes(_receiver.FinalApply, verify, restore, Stopwatch.GetElapsedTime(started) - verify - restore);
    }

    // spec: MIG-46
    private async Task CleanUpAsync(Propose proposal)
    {
        await QuietDisposal.OfAsync(_receiver, environment.Logger).ConfigureAwait(false); // nothing that it wrote will be used
        if (_journal is null)
            return;
        if (_held is not null)
            await _held.AbortAsync(CancellationToken.None).ConfigureAwait(false);
        if (_isRestoreBegun)
            await RecoveryEffects.RemoveRestoredAsync(environment.Runtime, RequestOf(proposal)).ConfigureAwait(false);
        _files!.RemoveBundle(proposal.Name);
        Forget(TargetState.Aborted);
    }

    // spec: MIG-100
    private async Task WaitForCompletionAsync(Propose proposal)
    {
        try
        {
            await _completion.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_patience.IsCancellationRequested)
        {
            if (environment.Runtime.LacksMemory(RequestOf(proposal)))
            {
                throw new ContainerException(
                    $"'{proposal.Name.Value}' runs here, and lacks memory that is still at its source. To have that follow, start `p2pmigrate receive` here again: the source sends the rest when it meets it. Leave both machines up.");
            }

            throw new ContainerException(
                $"'{proposal.Name.Value}' runs here, and is still being given memory pages. When it has them all, what is left of the job is removed by: p2pmigrate resume {proposal.JobId}");
        }
    }

    private RestoreRequest RequestOf(Propose proposal) => new()
    {
        Container = proposal.Container,
        BundlePath = environment.State.Bundle(proposal.Name),
        RootPath = environment.State.Rootfs(proposal.Name),
        ImageDirectory = _files!.Images,
        WorkDirectory = _files.Work,
    };

    private JournalHead HeadOf(Propose proposal) => new(
        proposal.JobId, JobRole.Target, proposal.Name, proposal.Container.Runtime,
        environment.State.Bundle(proposal.Name), environment.State.Rootfs(proposal.Name), options.PeerName, environment.Time.GetUtcNow())
    {
        Contact = options.PeerKey is { } key ? new PeerContact(key) : null,
    };

    private void Write(TargetState state)
    {
        _mayBeAskedFor |= state == TargetState.Restoring;
        _journal!.Append((int)state, environment.Time.GetUtcNow());
        environment.JournalWritten?.Invoke(JobRole.Target, (int)state);
    }

    /// <summary>Nothing of the job is left here, so that nobody else has to wait for its session to end.</summary>
    private void Forget(TargetState end)
    {
        Write(end);
        _files!.Remove();
        if (_mayBeAskedFor)
            _journal!.SetAside(environment.State.Ended);
        else
            _journal!.Delete();
        _chunks?.Dispose();
        _turn?.Dispose();
    }
}
