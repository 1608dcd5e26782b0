using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Hands runs of pages to a sink, with their content: from CRIU's image when it is there, else from the process, which is frozen. The next batch is read while the sink has one.
/// </summary>
/// <param name="sink">Gets all of them.</param>
/// <param name="memory">The processes.</param>
/// <param name="leavesLater">Are lazy runs that are not in the image told without content?</param>
/// <param name="check">Throws when what was read last must not be used.</param>
internal sealed class PageDelivery(IPageSink sink, FrozenMemory memory, bool leavesLater, Action? check = null)
{
    private const int BatchPages = 256;

    private Batch _next = new(), _other = new();

    /// <summary>Where the content of a run comes from.</summary>
    private enum Origin
    {
        Image = 0,
        Process = 1,
        Later = 2,
    }

    /// <summary>Pages that went with their content.</summary>
    public long Pages { get; private set; }

    /// <summary>Is this a run that is told without content?</summary>
    public bool IsLeft(PageRun run) => OriginOf(run) == Origin.Later;

    /// <summary>Delivers runs of a space that is open; those that are in the image have their content in <paramref name="pagesPath"/>, one after the other.</summary>
    public async Task DeliverAsync(PageSpace space, IReadOnlyList<PageRun> runs, string? pagesPath, CancellationToken cancellationToken)
    {
        using SafeFileHandle? file = runs.Any(run => run.IsPresent) ? File.OpenHandle(pagesPath!) : null;
        long position = 0;
        using IEnumerator<List<PageRun>> batches = Batches(runs).GetEnumerator();
        Task<bool> reading = ReadAsync(_next);
        try
        {
            while (await reading.ConfigureAwait(false))
            {
                (_next, _other) = (_other, _next);
                reading = ReadAsync(_next);
                await HandOverAsync(_other, cancellationToken).ConfigureAwait(false);
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
                Origin origin = OriginOf(batches.Current[0]);
                Span<byte> content = batch.Expect(batches.Current, hasContent: origin != Origin.Later);
                if (origin == Origin.Image) position += ReadFile(file!, content, position);
                if (origin == Origin.Process) memory.Read(space.Id, CollectionsMarshal.AsSpan(batches.Current), content);
                check?.Invoke();
                return true;
            },
            CancellationToken.None);
    }

    private Origin OriginOf(PageRun run) => run.IsPresent ? Origin.Image : leavesLater && (run.Flags & PagemapImage.LazyFlag) != 0 ? Origin.Later : Origin.Process;

    private async Task HandOverAsync(Batch batch, CancellationToken cancellationToken)
    {
        int offset = 0;
        foreach (PageRun run in batch.Runs)
        {
            if (!batch.HasContent)
            {
                await sink.WriteAsync(run, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
                continue;
            }

            int length = (int)run.Pages * PageRun.PageSize;
            await sink.WriteAsync(run with { Flags = run.Flags | PagemapImage.PresentFlag }, batch.Content.AsMemory(offset, length), cancellationToken).ConfigureAwait(false);
            offset += length;
            Pages += run.Pages;
        }
    }

    /// <summary>Runs in pieces, as many as are read at once: all of them of one origin. Those without content are not cut.</summary>
    private IEnumerable<List<PageRun>> Batches(IReadOnlyList<PageRun> runs)
    {
        var batch = new List<PageRun>();
        uint pages = 0;
        foreach (PageRun whole in runs)
        {
            for (PageRun run = whole; run.Pages > 0;)
            {
                if (pages >= BatchPages || batch.Count == FrozenMemory.PiecesMax || (batch.Count > 0 && OriginOf(batch[0]) != OriginOf(run)))
                {
                    yield return batch;
                    (batch, pages) = ([], 0);
                }

                PageRun piece = IsLeft(run) ? run : run with { Pages = Math.Min(run.Pages, BatchPages - pages) };
                batch.Add(piece);
                pages += IsLeft(run) ? 0 : piece.Pages;
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

        public bool HasContent { get; private set; }

        /// <summary>Room for other runs than before.</summary>
        public Span<byte> Expect(List<PageRun> runs, bool hasContent)
        {
            (Runs, HasContent) = (runs, hasContent);
            return Content.AsSpan(0, hasContent ? (int)runs.Sum(run => (long)run.Pages) * PageRun.PageSize : 0);
        }
    }
}
