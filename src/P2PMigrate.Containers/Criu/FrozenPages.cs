using System.Globalization;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// The memory of a lazy dump: CRIU writes into its images what it thinks cannot wait, and for everything else only where it is; that we read from the processes, which
/// is faster than to be sent it, or leave there for later, and note it, when the sink takes that. The sink gets what an ordinary dump would have sent it. At its end CRIU would serve what it left out, to whoever comes; it is given
/// a connection that has ended instead, so that it listens nowhere and ends as after any other dump.
/// </summary>
/// <param name="imageDirectory">Where CRIU's images are.</param>
/// <param name="notesDirectory">Where it is noted what was left for later: nothing is there.</param>
/// <param name="sink">Gets it.</param>
/// <param name="mayLeave">Can it be told later whether the processes stood still?</param>
/// <param name="pids">The container's processes.</param>
// spec: MEM-20, MEM-30, MEM-31, MEM-32
internal sealed class FrozenPages(string imageDirectory, string notesDirectory, IPageSink sink, bool mayLeave, Func<IEnumerable<int>> pids) : IMemoryDelivery
{
    private readonly EndedConnection _noQuestions = new();
    private readonly NamedFailureSink _sink = new(sink);

    /// <inheritdoc/>
    public IReadOnlyList<string> RuncOptions => ["--lazy-pages"];

    /// <inheritdoc/>
    public IReadOnlyList<string> DirectOptions => ["--lazy-pages"];

    /// <inheritdoc/>
    public IReadOnlyList<string> CriuOptions => [string.Create(CultureInfo.InvariantCulture, $"ps-socket {_noQuestions.Descriptor}")];

    /// <inheritdoc/>
    public TimeSpan Patience => Timeout.InfiniteTimeSpan;

    /// <inheritdoc/>
    public void Started() => _noQuestions.Dispose();

    /// <inheritdoc/>
    public void Dispose() => _noQuestions.Dispose();

    /// <inheritdoc/>
    public async Task<long> RunAsync(Task<bool> complete, CancellationToken cancellationToken)
    {
        if (!await complete.WaitAsync(cancellationToken).ConfigureAwait(false)) throw new EndOfStreamException("CRIU ended before its images were complete");
        IReadOnlyList<PagemapImage> images = PagemapImage.ReadAll(imageDirectory);
        using var memory = new FrozenMemory(pids());
        bool leaves = mayLeave && _sink.TakesLater;
        var delivery = new PageDelivery(_sink, memory, leaves);
        foreach (PagemapImage image in images)
        {
            await _sink.OpenAsync(image.Space, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<PageRun> runs = leaves && image.Space.Kind == PageSpaceKind.Process ? WipedOnFork.Apart(imageDirectory, image) : image.Runs;
            await delivery.DeliverAsync(image.Space, runs, image.PagesPath, cancellationToken).ConfigureAwait(false);
            Note(image.Space, [.. runs.Where(delivery.IsLeft)]);
        }

        await _sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return delivery.Pages;
    }

    /// <summary>Written in the form of CRIU's own image.</summary>
    // spec: MEM-21
    private void Note(PageSpace space, List<PageRun> left)
    {
        if (left.Count == 0) return;
        Directory.CreateDirectory(notesDirectory);
        using PagemapStream note = PagemapStream.Create(notesDirectory, space, pagesId: 1);
        foreach (PageRun run in left) note.Write(run);
        note.Complete();
    }
}
