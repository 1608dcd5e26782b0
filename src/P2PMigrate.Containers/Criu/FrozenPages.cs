using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// The memory of a lazy dump: CRIU writes into its images what it thinks cannot wait, and for everything else only where it is; that we read from the processes, which
/// is faster than to be sent it. The sink gets what an ordinary dump would have sent it. At its end CRIU would serve what it left out, to whoever comes; it is given a connection that has ended
/// instead, so that it listens nowhere and ends as after any other dump.
/// </summary>
// spec: MEM-30, MEM-31, MEM-32
internal sealed class FrozenPages(string imageDirectory, IPageSink sink, Func<IEnumerable<int>> pids) : IMemoryDelivery
{
    private const int BatchPages = 256;

    private readonly EndedConnection _noQuestions = new();
    private readonly NamedFailureSink _sink = new(sink);
    private Batch _next = new(), _other = new();
    private long _pages;

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
        foreach (PagemapImage image in images)
        {
            await _sink.OpenAsync(image.Space, cancellationToken).ConfigureAwait(false);
            await DeliverAsync(image, memory, cancellationToken).ConfigureAwait(false);
        }

        await _sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return _pages;
    }

    /// <summary>The next batch is read while the sink has one.</summary>
    private async Task DeliverAsync(PagemapImage image, FrozenMemory memory, CancellationToken cancellationToken)
    {
        using SafeFileHandle? file = image.Runs.Any(run => run.IsPresent) ? File.OpenHandle(image.PagesPath) : null;
        long position = 0;
        using IEnumerator<List<PageRun>> batches = Batches(image.Runs).GetEnumerator();
        Task<bool> reading = ReadAsync(_next);
        try
        {
            while (await reading.ConfigureAwait(false))
            {
                (_next, _other) = (_other, _next);
                reading = ReadAsync(_next);
                await DeliverAsync(_other, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it uses what is disposed of here
        }

        Task<bool> ReadAsync(Batch batch) => Task.Run(
            () =>
            {
                if (!batches.MoveNext()) return false;
                Span<byte> content = batch.Expect(batches.Current);
                if (!batches.Current[0].IsPresent) memory.Read(image.Space.Id, CollectionsMarshal.AsSpan(batches.Current), content);
                else position += ReadFile(file!, content, position);
                return true;
            },
            CancellationToken.None);
    }

    private async Task DeliverAsync(Batch batch, CancellationToken cancellationToken)
    {
        int offset = 0;
        foreach (PageRun run in batch.Runs)
        {
            int length = (int)run.Pages * PageRun.PageSize;
            await _sink.WriteAsync(run with { Flags = run.Flags | PagemapImage.PresentFlag }, batch.Content.AsMemory(offset, length), cancellationToken).ConfigureAwait(false);
            offset += length;
            _pages += run.Pages;
        }
    }

    /// <summary>Runs in pieces, as many as are read at once: all of them in the process, or all of them in the file.</summary>
    private static IEnumerable<List<PageRun>> Batches(IReadOnlyList<PageRun> runs)
    {
        var batch = new List<PageRun>();
        uint pages = 0;
        foreach (PageRun whole in runs)
        {
            for (PageRun run = whole; run.Pages > 0;)
            {
                if (pages == BatchPages || batch.Count == FrozenMemory.PiecesMax || (batch.Count > 0 && batch[0].IsPresent != run.IsPresent))
                {
                    yield return batch;
                    (batch, pages) = ([], 0);
                }

                PageRun piece = run with { Pages = Math.Min(run.Pages, BatchPages - pages) };
                batch.Add(piece);
                pages += piece.Pages;
                run = new PageRun(run.Address + ((ulong)piece.Pages * PageRun.PageSize), run.Pages - piece.Pages, run.Flags);
            }
        }

        if (batch.Count > 0) yield return batch;
    }

    private static int ReadFile(SafeFileHandle file, Span<byte> content, long position)
    {
        for (int done = 0; done < content.Length;)
        {
            int read = RandomAccess.Read(file, content[done..], position + done);
            if (read == 0) throw new ContainerException("CRIU wrote fewer memory pages than it says. Use CRIU 4.2 or report this.");
            done += read;
        }

        return content.Length;
    }

    private sealed class Batch
    {
        public byte[] Content { get; } = GC.AllocateUninitializedArray<byte>(BatchPages * PageRun.PageSize, pinned: true);

        public List<PageRun> Runs { get; private set; } = [];

        /// <summary>Room for other runs than before.</summary>
        public Span<byte> Expect(List<PageRun> runs)
        {
            Runs = runs;
            return Content.AsSpan(0, (int)runs.Sum(run => (long)run.Pages) * PageRun.PageSize);
        }
    }
}
