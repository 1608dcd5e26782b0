using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Counts the pages that follow because they are next, not those that were asked for, and does something at one of them.</summary>
internal sealed class FollowingPages
{
    private long _count, _at;
    private Action? _then;

    /// <summary>How many have been taken in.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>How many lacked when they were first looked for.</summary>
    public long LackedAtFirst { get; private set; }

    /// <summary>Once, when so many have been taken in.</summary>
    public void At(long pages, Action then) => (_at, _then) = (pages, then);

    public ILateMemory Before(ILateMemory late) => new Counter(this, late);

    private void Take(uint pages)
    {
        if (Interlocked.Add(ref _count, pages) >= _at && _at > 0)
            Interlocked.Exchange(ref _then, null)?.Invoke();
    }

    private sealed class Counter(FollowingPages pages, ILateMemory inner) : ILateMemory, IPageSink
    {
        public IPageSink Pages => this;

        public long Bytes => inner.Bytes;

        public IReadOnlyList<LackingRun> FindLacking(int most)
        {
            IReadOnlyList<LackingRun> lacking = inner.FindLacking(most);
            if (pages.LackedAtFirst == 0) pages.LackedAtFirst = lacking.Sum(run => run.Pages);
            return lacking;
        }

        public void Take(ulong process, ulong address, ReadOnlySpan<byte> content) => inner.Take(process, address, content);

        public ValueTask<WantedPage> WaitForWantedAsync(CancellationToken cancellationToken) => inner.WaitForWantedAsync(cancellationToken);

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => inner.Pages.OpenAsync(space, cancellationToken);

        public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            pages.Take(run.Pages);
            return inner.Pages.WriteAsync(run, content, cancellationToken);
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => inner.Pages.CompleteAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
