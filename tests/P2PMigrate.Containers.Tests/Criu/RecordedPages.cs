using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Criu;

/// <summary>A sink that keeps everything; may be told to fail at a call.</summary>
internal sealed class RecordedPages : IPageSink
{
    private int _calls;

    public List<(PageSpace Space, PageRun Run, byte[] Content)> Runs { get; } = [];

    public List<PageSpace> Spaces { get; } = [];

    public bool IsComplete { get; private set; }

    public int? FailAtCall { get; init; }

    public bool TakesLater { get; init; }

    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        MaybeFail();
        Spaces.Add(space);
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        MaybeFail();
        Runs.Add((Spaces[^1], run, pages.ToArray()));
        return ValueTask.CompletedTask;
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        MaybeFail();
        IsComplete = true;
        return ValueTask.CompletedTask;
    }

    private void MaybeFail()
    {
        if (_calls++ == FailAtCall) throw new InvalidOperationException("the tunnel broke");
    }
}
