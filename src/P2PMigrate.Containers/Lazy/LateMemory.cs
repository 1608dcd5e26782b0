using System.Net.Sockets;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Takes in, from the peer, the memory of a container that has been restored: each page is written to its place and marked, and whoever gives pages to the container is told. Nobody waits for that one: it finds by itself what it was not told.
/// </summary>
// spec: MEM-22, MEM-23
internal sealed class LateMemory : ILateMemory, IPageSink
{
    private readonly Dictionary<ulong, ArrivalFile> _files = [];
    private readonly LetterBox<LateLetter> _letters;
    private readonly Socket _arrivals;
    private ulong? _process;
    private volatile bool _isUntold;

    private LateMemory(string workDirectory, string imageDirectory, IReadOnlyList<ulong> awaited)
    {
        foreach (ulong process in awaited) _files.Add(process, ArrivalFile.Open(imageDirectory, process));
        _letters = new LetterBox<LateLetter>(workDirectory, LateLetter.Taker);
        _arrivals = new Socket(new SafeSocketHandle(_letters.Descriptor, ownsHandle: false));
    }

    /// <summary>Opens it; null when nothing was left for later. Throws <see cref="ContainerException"/> when there is no room for it.</summary>
    public static LateMemory? Open(RestoreRequest request)
    {
        IReadOnlyList<ulong> awaited = ArrivalFile.AwaitedIn(request.ImageDirectory);
        ArrivalFile.Prepare(request.ImageDirectory);
        return awaited.Count == 0 ? null : new LateMemory(request.WorkDirectory, request.ImageDirectory, awaited);
    }

    /// <inheritdoc/>
    public IPageSink Pages => this;

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
        if (pages.Length != run.Pages * (long)PageRun.PageSize) throw new SnapshotException("The source left pages for later a second time.");
        Take(process, run.Address, pages.Span);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        long lacking = _files.Values.Sum(file => file.CountLacking());
        return lacking == 0 ? ValueTask.CompletedTask : throw new SnapshotException($"The source says that all memory has come, but {lacking} pages have not.");
    }

    /// <inheritdoc/>
    public void Take(ulong process, ulong address, ReadOnlySpan<byte> pages)
    {
        if (!_files.TryGetValue(process, out ArrivalFile? file)) throw new SnapshotException($"The source sent memory of process {process}, for which nobody waits.");
        file.Write(address, pages);
        if (_isUntold && _letters.TrySend(LateLetter.Giver, new LateLetter { Kind = LateLetterKind.LookAround })) _isUntold = false;
        var letter = new LateLetter { Kind = LateLetterKind.Arrived, Pages = pages.Length / PageRun.PageSize, Image = process, Address = address };
        if (!_letters.TrySend(LateLetter.Giver, letter)) _isUntold = true;
    }

    /// <inheritdoc/>
    public async ValueTask<WantedPage> WaitForWantedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_letters.TryTake(out LateLetter letter))
            {
                if (letter.Kind == LateLetterKind.Wanted) return new WantedPage(letter.Image, letter.Address, letter.Pages);
                continue;
            }

            await _arrivals.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _arrivals.Dispose();
        _letters.Dispose();
        foreach (ArrivalFile file in _files.Values) file.Dispose();
        return ValueTask.CompletedTask;
    }
}
