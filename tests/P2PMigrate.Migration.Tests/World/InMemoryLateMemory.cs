using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>A program's hand in what arrives on its machine. A later one names again what its container still waits for.</summary>
// spec: MEM-22, MEM-23
internal sealed class InMemoryLateMemory(InMemoryRuntime runtime, LateArrival arrival) : ILateMemory, IPageSink
{
    private readonly HashSet<int> _named = [];
    private ulong? _process;

    public IPageSink Pages => this;

    public long Bytes => arrival.Bytes;

    public IReadOnlyList<LackingRun> FindLacking(int most) => [.. arrival.FindLacking().Select(page => new LackingRun(1, SimulatedContainer.Address + ((ulong)page * PageRun.PageSize), 1)).Take(most)];

    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        _process = space.Kind == PageSpaceKind.Process ? space.Id : throw new SnapshotException("The source sent shared memory late, which nobody waits for.");
        return ValueTask.CompletedTask;
    }

    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        await runtime.AtAsync("late page", cancellationToken);
        if (!run.IsPresent)
            throw new SnapshotException("The source left pages for later a second time.");
        Take(_process!.Value, run.Address, pages.Span);
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("late pages", cancellationToken);
        if (arrival.Lacking is > 0 and int lacking)
            throw new SnapshotException($"The source says that all memory has come, but {lacking} pages have not.");
    }

    public void Take(ulong process, ulong address, ReadOnlySpan<byte> pages)
    {
        if (runtime.IsDead)
            throw new OperationCanceledException("killed");
        arrival.Take(process, address, pages);
    }

    public async ValueTask<WantedPage> WaitForWantedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task news = arrival.News;
            if (arrival.FindTouched(_named) is { } page)
            {
                _named.Add(page);
                await runtime.AtAsync("want", cancellationToken);
                return new WantedPage(1, SimulatedContainer.Address + ((ulong)page * PageRun.PageSize), 1);
            }

            await news.WaitAsync(cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
