using System.Globalization;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Writes memory as CRIU's own page server would: for each space a <c>pagemap-PID.img</c> (or <c>pagemap-shmem-ID.img</c>) with the
/// runs and a <c>pages-N.img</c> with the content of those that are present, one after the other. N starts at
/// 0x10001, clear of the numbers that a dump uses by itself. Neighbouring runs of the same kind become one entry.
/// One caller at a time; disposing it early leaves incomplete files, which belong to whoever owns the directory.
/// </summary>
internal sealed class PageImageWriter(string imageDirectory) : IPageSink, IAsyncDisposable
{
    private const uint FirstPagesId = 0x10001;
    private const int BufferBytes = 1 << 18;

    private readonly PagemapEntry _entry = new();
    private uint _nextPagesId = FirstPagesId;
    private FileStream? _pagemap;
    private FileStream? _pages;
    private PageRun _pending;

    public async ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        await CloseSpaceAsync().ConfigureAwait(false);
        string prefix = space.Kind == PageSpaceKind.SharedMemory ? "pagemap-shmem-" : "pagemap-";
        _pagemap = Create(string.Create(CultureInfo.InvariantCulture, $"{prefix}{space.Id}.img"));
        _pages = Create(string.Create(CultureInfo.InvariantCulture, $"pages-{_nextPagesId}.img"));
        ImageFile.WriteMagic(_pagemap, ImageFile.PagemapMagic);
        ImageFile.WriteRecord(_pagemap, new PagemapHead { PagesId = _nextPagesId++ });
    }

    public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        if (_pagemap is null || _pages is null) throw new InvalidOperationException("no page space is open");
        if (pages.Length != (run.IsPresent ? run.Pages * (long)PageRun.PageSize : 0))
        {
            throw new ArgumentException("the content does not fit the run", nameof(pages));
        }

        if (Continues(run)) _pending = _pending with { Pages = _pending.Pages + run.Pages };
        else
        {
            WritePending();
            _pending = run;
        }

        return pages.IsEmpty ? ValueTask.CompletedTask : _pages.WriteAsync(pages, cancellationToken);
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => CloseSpaceAsync();

    public async ValueTask DisposeAsync()
    {
        if (_pagemap is not null) await _pagemap.DisposeAsync().ConfigureAwait(false);
        if (_pages is not null) await _pages.DisposeAsync().ConfigureAwait(false);
    }

    private bool Continues(PageRun run) =>
        _pending.Pages > 0 && run.Flags == _pending.Flags
        && run.Address == _pending.Address + ((ulong)_pending.Pages * PageRun.PageSize)
        && _pending.Pages <= uint.MaxValue - run.Pages;

    private void WritePending()
    {
        if (_pending.Pages == 0) return;
        // CRIU 4.2 takes the second count where it is; older ones know only the first. Both are always there.
        _entry.Vaddr = _pending.Address;
        _entry.CompatNrPages = _pending.Pages;
        _entry.NrPages = _pending.Pages;
        _entry.Flags = _pending.Flags;
        ImageFile.WriteRecord(_pagemap!, _entry);
        _pending = default;
    }

    private async ValueTask CloseSpaceAsync()
    {
        if (_pagemap is null) return;
        WritePending();
        await DisposeAsync().ConfigureAwait(false);
        _pagemap = _pages = null;
    }

    private FileStream Create(string name) =>
        new(Path.Combine(imageDirectory, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
}
