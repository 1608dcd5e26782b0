using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// What the source's machine asks for, done: journal, freeze, dump, send, thaw, destroy. One request at a time, on any thread;
/// a rollback first stops and awaits the one before it. Owns the fence.
/// </summary>
internal sealed class SourceEffects(
    MigrationEnvironment environment, ITunnelSession session, Propose proposal, JobJournal journal, CopyOptions copy, SentChunks sent, TransferMeter meter) : IAsyncDisposable
{
    private readonly JobFiles _files = new(environment.State, proposal.JobId);
    private readonly CancellationTokenSource _stop = new();
    private readonly PageKey _pageKey = PageKey.Create();
    private readonly PageBook _pageBook = new(KeptPages.BytesFor(proposal.Container.MemoryBytes) / PageRun.PageSize);
    private RootfsSender? _rootfs;
    private LiveMemorySender? _memory;
    private IFreezePlan? _plan;
    private IFence? _fence;
    private MemoryGiver? _giver;

    /// <summary>May memory of this container follow later?</summary>
    // spec: MIG-101
    public bool TakesLate { get; set; }

    /// <summary>Is the dump to leave some?</summary>
    public bool Leaves { get; set; }

    /// <summary>Has the dump left some?</summary>
    public bool HasLeft => _giver is not null;

    /// <summary>Told, at most once, why what the target asks for page by page cannot be answered any more: its container may wait for that.</summary>
    // spec: MIG-102
    public Action<Exception>? CannotAnswer { get; init; }

    /// <summary>Cancelled when the job rolls back, or has ended.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Memory that the dump held, in bytes, with what it left for later.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Memory that was sent while the container was frozen, in bytes before compression.</summary>
    public long FrozenMemoryBytes { get; private set; }

    /// <summary>When the container began to be stopped, or null while it was not.</summary>
    public long? StoppedAt { get; private set; }

    /// <summary>Content of the root file system, in bytes.</summary>
    public long RootfsBytes => _rootfs?.DataLength ?? 0;

    /// <summary>A sentence about how it went, where that is not as the user wanted it; else null.</summary>
    public string? Remark { get; private set; }

    /// <summary>A sentence about a container that was to be thawed and had ended; else null.</summary>
    public string? EndOfContainer { get; private set; }

    /// <summary>Does one thing and returns what a round was like. Whatever goes wrong is thrown.</summary>
    public async Task<RoundFigures> CarryOutAsync(SourceRequest request, Task previous)
    {
        if (request.Work == SourceWork.RollBack)
            await _stop.CancelAsync().ConfigureAwait(false);
        await previous.ConfigureAwait(false);
        if (request.Journal is { } state)
            Write(state);
        return request.Work switch
        {
            SourceWork.CopyRound => await CopyRoundAsync(request.Round).ConfigureAwait(false),
            SourceWork.Freeze => await FreezeAsync().ConfigureAwait(false),
            SourceWork.Dump => await DumpAsync().ConfigureAwait(false),
            SourceWork.Ship => await ShipAsync(request.Round).ConfigureAwait(false),
            SourceWork.Commit => default,
            SourceWork.Give => await GiveAsync().ConfigureAwait(false),
            SourceWork.Destroy => await DestroyAsync().ConfigureAwait(false),
            SourceWork.RollBack => await RollBackAsync().ConfigureAwait(false),
            _ => throw new InvalidOperationException($"Nobody knows how to {request.Work}."),
        };
    }

    /// <summary>The machine has ended: what is still under way, on a session that may go on, is given up.</summary>
    public Task StopAsync() => _stop.CancelAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await QuietDisposal.OfAsync(_giver, environment.Logger).ConfigureAwait(false);
        _rootfs?.Dispose();
        _memory?.Dispose();
        _pageKey.Dispose();
        await QuietDisposal.OfAsync(_plan, environment.Logger).ConfigureAwait(false);
        await QuietDisposal.OfAsync(_fence, environment.Logger).ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>
    /// Files first: memory changes faster, so it had better be read last. From the second round on each may be the last before the freeze, so all that the freeze
    /// needs to know is asked before its memory is read.
    /// </summary>
    // spec: MIG-71, MIG-85
    private async Task<RoundFigures> CopyRoundAsync(int round)
    {
        if (copy.Mode is MigrationMode.PostCopy or MigrationMode.Hybrid && !TakesLate)
            throw new ContainerException($"The target cannot let '{proposal.Name.Value}' run before all of its memory is there, so it goes on running here. Type the same without --mode.");
        _rootfs ??= new RootfsSender(session, proposal.JobId, proposal.Container.Files, sent, meter);
        long files = await _rootfs.SendRoundAsync(round, isFinal: false, _stop.Token).ConfigureAwait(false);
        if (round == 0)
            OpenMemory();
        else
            await PrepareFreezeAsync().ConfigureAwait(false);
        return new RoundFigures(files, _memory is null ? null : await _memory.SendRoundAsync(round, _stop.Token).ConfigureAwait(false));
    }

    private void OpenMemory()
    {
        if (copy.Mode is MigrationMode.StopAndCopy or MigrationMode.PostCopy || environment.Runtime.OpenLiveMemory(proposal.Container) is not { } memory)
            return;
        _memory = new LiveMemorySender(session, proposal.JobId, memory, _pageKey, _pageBook, meter, environment.Time);
        meter.Expect(proposal.Container.MemoryBytes);
    }

    private async Task<IFreezePlan> PrepareFreezeAsync() =>
        _plan ??= await environment.Runtime.PrepareFreezeAsync(proposal.Container, _files.Work, _stop.Token).ConfigureAwait(false);

    private async Task<RoundFigures> FreezeAsync()
    {
        IFreezePlan plan = await PrepareFreezeAsync().ConfigureAwait(false);
        _fence = await plan.FreezeAsync(() => StoppedAt = environment.Time.GetTimestamp(), _stop.Token).ConfigureAwait(false);
        return default;
    }

    /// <summary>Memory flows while CRIU dumps; done when the target has all of it, but what was left for later.</summary>
    private async Task<RoundFigures> DumpAsync()
    {
        bool leaves = Leaves;
        PageSender pages = await PageSender.OpenAsync(session, proposal.JobId, _pageKey, _pageBook, meter, leaves, _stop.Token).ConfigureAwait(false);
        await using (pages.ConfigureAwait(false))
        {
            meter.Expect(proposal.Container.MemoryBytes);
            await _fence!.DumpAsync(_files.Images, pages, _stop.Token).ConfigureAwait(false);
            await pages.CompleteAsync(_stop.Token).ConfigureAwait(false);
            MemoryBytes = pages.Pages * PageRun.PageSize;
            FrozenMemoryBytes = pages.FreshPages * PageRun.PageSize;
        }

        if (leaves)
            KeepRemaining(_fence);
        return default;
    }

    private void KeepRemaining(IFence fence)
    {
        if (fence.OpenRemaining() is not { } left)
        {
            Log.NothingLeft(environment.Logger, proposal.JobId, proposal.Name.Value);
            Remark = "None of its memory was left to follow it, so it stood still until all was at the target; the log of its dump says why.";
            return;
        }

        _giver = new MemoryGiver(environment, session, proposal.JobId, left, (_pageKey, _pageBook), meter);
        MemoryBytes += left.Bytes;
    }

    /// <summary>The final round follows the dump, because CRIU may make files in the container's tree while it dumps.</summary>
    // spec: MIG-25
    private async Task<RoundFigures> ShipAsync(int round)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task[] both =
        [
            ImageSender.SendAsync(session, proposal.JobId, _files.Images, meter, either.Token),
            _rootfs!.SendRoundAsync(round, isFinal: true, either.Token),
        ];
        Task first = await Task.WhenAny(both).ConfigureAwait(false);
        if (!first.IsCompletedSuccessfully)
            await either.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first.ConfigureAwait(false);
        await Task.WhenAll(both).ConfigureAwait(false);
        if (_giver is not null)
            await BeginGivingAsync(_giver).ConfigureAwait(false);
        return default;
    }

    private async Task BeginGivingAsync(MemoryGiver giver)
    {
        await giver.BeginAsync(_stop.Token).ConfigureAwait(false);
        _ = giver.Answering.ContinueWith(failed => CannotAnswer?.Invoke(failed.Exception!.InnerException!), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>The target has all of it; nobody asks any more.</summary>
    private async Task<RoundFigures> GiveAsync()
    {
        meter.Expect(_giver!.Bytes);
        await _giver.GiveAsync(_stop.Token).ConfigureAwait(false);
        await _giver.DisposeAsync().ConfigureAwait(false);
        return default;
    }

    private async Task<RoundFigures> DestroyAsync()
    {
        if (_fence is not null)
            await _fence.DestroyAsync(CancellationToken.None).ConfigureAwait(false);
        _files.RemoveBundleIfOurs(proposal.Name, proposal.Container.BundlePath);
        Forget(SourceState.Completed);
        return default;
    }

    // spec: MIG-12, MIG-14
    private async Task<RoundFigures> RollBackAsync()
    {
        await QuietDisposal.OfAsync(_giver, environment.Logger).ConfigureAwait(false); // what is thawed is not read any more
        if (_plan is not null)
            await _plan.DisposeAsync().ConfigureAwait(false);

        // A freeze that failed has undone itself, unless that failed too: then its record is still there.
        _fence ??= await environment.Runtime.ReopenFenceAsync(_files.Work, CancellationToken.None).ConfigureAwait(false);
        EndOfContainer = await EndedContainer.ThawAsync(environment.Runtime, proposal.Container, _fence).ConfigureAwait(false);
        Forget(SourceState.RolledBack);
        return default;
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
