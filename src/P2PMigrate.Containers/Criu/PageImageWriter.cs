using System.Globalization;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Writes memory as CRIU's own page server would: for each space a <c>pagemap-PID.img</c> (or <c>pagemap-shmem-ID.img</c>) with the
/// runs and a <c>pages-N.img</c> with the content of those that are present, one after the other. N starts at
/// 0x10001, clear of the numbers that a dump uses by itself. Neighbouring runs of the same kind become one entry. Pages that are kept are not copied where <see cref="ParentImages"/> can refer to them.
/// One caller at a time; disposing it early leaves incomplete files, which belong to whoever owns the directory.
/// </summary>
internal sealed class PageImageWriter(string imageDirectory) : IPageSink, IAsyncDisposable
{
    private const uint FirstPagesId = 0x10001;
    private const int BufferBytes = 1 << 18;

    private readonly ParentImages _parents = new(imageDirectory);
    private uint _nextPagesId = FirstPagesId;
    private PagemapStream? _pagemap;
    private FileStream? _pages;
    private PageSpace _space;

    public async ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        await CloseSpaceAsync().ConfigureAwait(false);
        _space = space;
        _pagemap = PagemapStream.Create(imageDirectory, space, _nextPagesId);
        _pages = new FileStream(
            Path.Combine(imageDirectory, string.Create(CultureInfo.InvariantCulture, $"pages-{_nextPagesId++}.img")),
            FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
    }

    public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        if (_pagemap is null || _pages is null) throw new InvalidOperationException("no page space is open");
        if (pages.Length != (run.IsPresent ? run.Pages * (long)PageRun.PageSize : 0))
        {
            throw new ArgumentException("the content does not fit the run", nameof(pages));
        }

        _pagemap.Write(run);
        return pages.IsEmpty ? ValueTask.CompletedTask : _pages.WriteAsync(pages, cancellationToken);
    }

    // spec: MEM-60
    public async ValueTask WriteKeptAsync(PageRun run, PageStore store, ulong number, CancellationToken cancellationToken)
    {
        uint copied = _parents.Place(run, store, number);
        if (copied > 0) await store.CopyToAsync(this, run with { Pages = copied }, number, cancellationToken).ConfigureAwait(false);
        if (copied == run.Pages) return;
        var rest = new PageRun(run.Address + ((ulong)copied * PageRun.PageSize), run.Pages - copied, PagemapImage.ParentFlag | (run.Flags & PagemapImage.LazyFlag));
        await WriteAsync(rest, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => CloseSpaceAsync();

    public async ValueTask DisposeAsync()
    {
        _pagemap?.Dispose();
        if (_pages is null) return;
        try
        {
            await _pages.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // CloseSpaceAsync() reports a full disk; here nobody needs the file any more.
        }
    }

    private async ValueTask CloseSpaceAsync()
    {
        if (_pagemap is null || _pages is null) return;
        _parents.Write(_space);
        _pagemap.Complete();
        await _pages.FlushAsync().ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
        _pagemap = null;
        _pages = null;
    }
}
