using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// The sink that a dump at the source writes to: every page is named at once, and goes as a number if the target keeps it, else into
/// a block on a bulk stream, so that memory travels while CRIU dumps. <see cref="CompleteAsync"/> returns when the target has written
/// everything down and found it to be the same. Owns neither key nor book.
/// </summary>
// spec: MIG-26, MIG-81
internal sealed class PageSender : IPageSink, IAsyncDisposable
{
    private const int FlushThreshold = 1 << 20;
    private const int SlicePages = 256;

    private readonly ITunnelStream _stream;
    private readonly PageKey _key;
    private readonly PageBook _book;
    private readonly TransferMeter _meter;
    private readonly MemoryDigest _digest = new();
    private readonly long[] _numbers = new long[SlicePages];      // of the slice's pages; -1 for one that the target lacks
    private readonly bool _takesLater;
    private int _unflushed;
    private bool _isComplete;

    private PageSender(ITunnelStream stream, PageKey key, PageBook book, TransferMeter meter, bool takesLater) =>
        (_stream, _key, _book, _meter, _takesLater) = (stream, key, book, meter, takesLater);

    /// <inheritdoc/>
    public bool TakesLater => _takesLater;

    /// <summary>Pages with content that the dump held.</summary>
    public long Pages { get; private set; }

    /// <summary>Those of them that were sent; the others were kept at the target, or of zeros.</summary>
    public long FreshPages { get; private set; }

    /// <summary>Opens the stream, of a dump that may leave pages for later or not.</summary>
    public static Task<PageSender> OpenAsync(
        ITunnelSession session, JobId job, PageKey key, PageBook book, TransferMeter meter, bool mayLeave, CancellationToken cancellationToken) =>
        OpenAsync(session, new StreamHeader(job, ContentKind.Memory, PageKey: key.Export()), (key, book), meter, mayLeave, cancellationToken);

    /// <summary>Opens the stream of what a dump has left.</summary>
    // spec: MIG-103
    public static Task<PageSender> OpenLateAsync(
        ITunnelSession session, JobId job, PageKey key, PageBook book, TransferMeter meter, CancellationToken cancellationToken) =>
        OpenAsync(session, new StreamHeader(job, ContentKind.LateMemory, PageKey: key.Export()), (key, book), meter, mayLeave: false, cancellationToken);

    /// <summary>On such a stream: what the target lacks, which it says first.</summary>
    // spec: MIG-103
    public Task<LackingPages> ReadLackingAsync(CancellationToken cancellationToken) => LackingPages.ReadAsync(_stream.Input, cancellationToken);

    private static async Task<PageSender> OpenAsync(
        ITunnelSession session, StreamHeader header, (PageKey Key, PageBook Book) names, TransferMeter meter, bool mayLeave, CancellationToken cancellationToken)
    {
        ITunnelStream stream = await header.OpenAsync(session, cancellationToken).ConfigureAwait(false);
        return new PageSender(stream, names.Key, names.Book, meter, mayLeave);
    }

    /// <inheritdoc/>
    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        Write(PageRecord.Of(space), isContent: true);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        Write(PageRecord.Of(run), isContent: true);
        for (int offset = 0; offset < pages.Length;)
        {
            int length = Math.Min(SlicePages * PageRun.PageSize, pages.Length - offset);
            WriteSlice(pages.Span.Slice(offset, length));
            offset += length;
            if (_unflushed >= FlushThreshold || offset == pages.Length)
            {
                await _stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
                _unflushed = 0;
            }
        }

        Pages += pages.Length / PageRun.PageSize;
    }

    /// <inheritdoc/>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_isComplete)
            return;
        Write(PageRecord.End(Pages), isContent: false);
        _digest.Finish().CopyTo(_stream.Output.GetSpan(MemoryDigest.Size));
        _stream.Output.Advance(MemoryDigest.Size);
        await _stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await StreamReceipt.ReadAsync(_stream, cancellationToken).ConfigureAwait(false);
        _isComplete = true;
    }

    /// <summary>Resets the stream unless it is complete.</summary>
    public ValueTask DisposeAsync()
    {
        _digest.Dispose();
        return _stream.DisposeAsync();
    }

    private void WriteSlice(ReadOnlySpan<byte> pages)
    {
        int count = pages.Length / PageRun.PageSize;
        for (int page = 0; page < count; page++)
        {
            PageName name = _key.NameOf(pages.Slice(page * PageRun.PageSize, PageRun.PageSize));
            _digest.AddPage(name);
            bool isKept = _book.TryFind(name, out uint number);
            _numbers[page] = isKept ? number : -1;
            FreshPages += isKept || name.IsZeros ? 0 : 1;
        }

        for (int first = 0; first < count;)
        {
            bool isKept = _numbers[first] >= 0;
            int length = isKept ? CountKept(first, count) : CountFresh(first, count);
            if (isKept)
                WriteKept(_numbers[first], length);
            else
                WriteFresh(pages.Slice(first * PageRun.PageSize, length * PageRun.PageSize));
            first += length;
        }
    }

    private int CountKept(int first, int count)
    {
        int length = 1;
        while (first + length < count && _numbers[first + length] == _numbers[first] + length)
            length++;
        return length;
    }

    private int CountFresh(int first, int count)
    {
        int length = 1;
        while (first + length < count && length < SnapshotLimits.MaxBlockPages && _numbers[first + length] < 0)
            length++;
        return length;
    }

    private void WriteKept(long number, int pages)
    {
        Write(PageRecord.Kept((ulong)number, pages), isContent: false);
        _meter.Move((long)pages * PageRun.PageSize, PageRecord.Size);
    }

    private void WriteFresh(ReadOnlySpan<byte> pages)
    {
        Write(PageRecord.Fresh(0, pages.Length / PageRun.PageSize), isContent: false);
        int written = PageBlock.Encode(pages, _stream.Output.GetSpan(PageBlock.MaxLength));
        _stream.Output.Advance(written);
        _unflushed += written;
        _meter.Move(pages.Length, PageRecord.Size + written);
    }

    private void Write(PageRecord record, bool isContent)
    {
        Span<byte> bytes = _stream.Output.GetSpan(PageRecord.Size)[..PageRecord.Size];
        record.Write(bytes);
        if (isContent)
            _digest.AddRecord(bytes);
        _stream.Output.Advance(PageRecord.Size);
        _unflushed += PageRecord.Size;
    }
}
