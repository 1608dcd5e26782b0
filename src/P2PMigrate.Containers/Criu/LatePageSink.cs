using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>A sink whose real one is named later, but before the first page: CRIU is told where to connect before it is known where the pages go.</summary>
internal sealed class LatePageSink : IPageSink
{
    private volatile IPageSink? _inner;

    /// <summary>Has anything gone there?</summary>
    public bool IsUsed { get; private set; }

    /// <summary>Where pages go from now on.</summary>
    public void Connect(IPageSink inner) => _inner = inner;

    public bool TakesLater => Inner.TakesLater;

    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        IsUsed = true;
        return Inner.OpenAsync(space, cancellationToken);
    }

    public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken) => Inner.WriteAsync(run, pages, cancellationToken);

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => Inner.CompleteAsync(cancellationToken);

    private IPageSink Inner => _inner ?? throw new InvalidOperationException("Pages came before the dump was let go on.");
}
