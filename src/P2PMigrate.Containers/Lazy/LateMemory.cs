using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Takes in, from the peer, the memory of a container that has been restored: each page is written to its place and marked, and whoever gives pages to the container is told. Nobody waits for that one: it finds by itself what it was not told.
/// There may be several of these for a restore, also in different processes: of a session that has gone silent, and of the one that came in its place. Each writes what it is sent (<see cref="ArrivalFile"/>), and the one that
/// waited last for what is wanted hears of it.
/// </summary>
// spec: MEM-22, MEM-23
internal sealed class LateMemory : ILateMemory, IPageSink
{
    private const int LooksMax = 20;

    private readonly Dictionary<ulong, ArrivalFile> _files = [];
    private readonly LetterBox<LateLetter> _letters;
    private readonly string _container, _work;
    private ulong? _process;
    private volatile bool _isUntold;
    private int _isNamed;

    private LateMemory(RestoreRequest request, IReadOnlyDictionary<ulong, long> awaited)
    {
        Bytes = awaited.Values.Sum() * PageRun.PageSize;
        (_container, _work) = (request.Container.Name, request.WorkDirectory);
        _letters = new LetterBox<LateLetter>(request.WorkDirectory);
        try
        {
            foreach (ulong process in awaited.Keys) _files.Add(process, ArrivalFile.Open(request.ImageDirectory, process));
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Opens it; null when nothing was left for later. Throws <see cref="ContainerException"/> when there is no room for it.</summary>
    public static LateMemory? Open(RestoreRequest request)
    {
        IReadOnlyDictionary<ulong, long> awaited = ArrivalFile.AwaitedIn(request.ImageDirectory);
        if (awaited.Count == 0) return null;
        if (RestoreRecord.Load(request.WorkDirectory) is null) ArrivalFile.Prepare(request.ImageDirectory, awaited); // else they are there, or go with a job that has ended meanwhile
        return new LateMemory(request, awaited);
    }

    /// <summary>Was something left for later, and has not come yet?</summary>
    public static bool IsLacking(RestoreRequest request)
    {
        if (!Directory.Exists(request.ImageDirectory)) return false;
        foreach (ulong process in ArrivalFile.AwaitedIn(request.ImageDirectory).Keys)
        {
            using ArrivalFile file = ArrivalFile.Open(request.ImageDirectory, process);
            if (file.CountLacking() > 0) return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public IPageSink Pages => this;

    /// <inheritdoc/>
    public long Bytes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<LackingRun> FindLacking(int most)
    {
        LackingRun[] lacking = [.. _files.Values.SelectMany(file => file.FindLacking()).Take(most + 1)];
        return lacking.Length <= most ? lacking : [.. _files.Values.SelectMany(file => file.FindExtent())];
    }

    /// <inheritdoc/>
    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        _process = space.Kind == PageSpaceKind.Process ? space.Id : throw new SnapshotException("The source sent shared memory late, which nobody waits for.");
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        if (_process is not { } process) throw new InvalidOperationException("no page space is open");
        if (!run.IsPresent) throw new SnapshotException("The source left pages for later a second time.");
        if (pages.Length != run.Pages * (long)PageRun.PageSize) throw new ArgumentException("the content does not fit the run", nameof(pages));
        Take(process, run.Address, pages.Span);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        long lacking = _files.Values.Sum(file => file.CountLacking());
        if (lacking > 0) throw new SnapshotException($"The source says that all memory has come, but {lacking} pages have not.");
        await RequireKeptAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Take(ulong process, ulong address, ReadOnlySpan<byte> pages)
    {
        if (!_files.TryGetValue(process, out ArrivalFile? file)) throw new SnapshotException($"The source sent memory of process {process}, for which nobody waits.");
        try
        {
            file.Write(address, pages);
        }
        catch (IOException refused)
        {
            throw new ContainerException($"Memory of {_container}, which runs here and waits for it, cannot be written: {refused.Message} Make room, and the source will send it again.", inner: refused);
        }

        Tell(new LateLetter { Kind = LateLetterKind.Arrived, Pages = pages.Length / PageRun.PageSize, Image = process, Address = address });
    }

    /// <summary>What is wanted is told to whoever has asked last: who only has this open may never be sent anything.</summary>
    public async ValueTask<WantedPage> WaitForWantedAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isNamed, 1) == 0) _letters.TakeName(LateLetter.Taker);
        while (true)
        {
            while (_letters.TryTake(out LateLetter letter))
            {
                if (letter.Kind == LateLetterKind.Wanted) return new WantedPage(letter.Image, letter.Address, letter.Pages);
            }

            await _letters.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    /// <summary>What has come is of use only where somebody can still give it, or has: else the source's copy must not be destroyed for it. Of a job that has ended meanwhile, its journal says how.</summary>
    // spec: MIG-103
    private async Task RequireKeptAsync(CancellationToken cancellationToken)
    {
        for (int look = 0; look < LooksMax; look++) // a job that ends just now removes one file after the other
        {
            if (!Directory.Exists(_work)) return;
            if (RestoreRecord.Load(_work) is { Removed: false } && (LazyHandover.Load(_work) is not { } handover || handover.Keeper.IsAlive || handover.Giver.IsAlive)) return;
            await Task.Delay(CheckpointTimers.Look, cancellationToken).ConfigureAwait(false);
        }

        throw new ContainerException($"Memory of {_container} has come, but cannot be given to it here any more{LateFailure.Because(_work)}.");
    }

    private void Tell(LateLetter letter)
    {
        if (_isUntold && _letters.TrySend(LateLetter.Giver, new LateLetter { Kind = LateLetterKind.LookAround })) _isUntold = false;
        if (!_letters.TrySend(LateLetter.Giver, letter)) _isUntold = true;
    }

    private void Close()
    {
        _letters.Dispose();
        foreach (ArrivalFile file in _files.Values) file.Dispose();
    }
}
