using System.IO.Pipelines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Archives;

/// <summary>The sink of a dump into an archive: what a MEMORY stream would carry to a target that keeps nothing. Owns neither output nor key.</summary>
// spec: ARC-12, MIG-26
internal sealed class ArchivePageSink(PipeWriter output, PageKey key, TransferMeter meter) : IPageSink, IDisposable
{
    private readonly MemoryDigest _digest = new();
    private bool _isComplete;

    /// <summary>Pages with content that the dump held.</summary>
    public long Pages { get; private set; }

    /// <inheritdoc/>
    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        Write(PageRecord.Of(space), isContent: true);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        const int Block = SnapshotLimits.MaxBlockPages * PageRun.PageSize;
        Write(PageRecord.Of(run), isContent: true);
        for (int offset = 0; offset < pages.Length; offset += Block)
        {
            WriteBlock(pages.Span.Slice(offset, Math.Min(Block, pages.Length - offset)));
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        Pages += pages.Length / PageRun.PageSize;
    }

    /// <inheritdoc/>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_isComplete)
            return;
        _isComplete = true;
        Write(PageRecord.End(Pages), isContent: false);
        await output.WriteAsync(_digest.Finish(), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _digest.Dispose();

    private void WriteBlock(ReadOnlySpan<byte> pages)
    {
        int count = pages.Length / PageRun.PageSize;
        for (int page = 0; page < count; page++)
            _digest.AddPage(key.NameOf(pages.Slice(page * PageRun.PageSize, PageRun.PageSize)));
        Write(PageRecord.Fresh(0, count), isContent: false);
        int written = PageBlock.Encode(pages, output.GetSpan(PageBlock.MaxLength));
        output.Advance(written);
        meter.Move(pages.Length, written);
    }

    private void Write(PageRecord record, bool isContent)
    {
        Span<byte> bytes = output.GetSpan(PageRecord.Size)[..PageRecord.Size];
        record.Write(bytes);
        if (isContent)
            _digest.AddRecord(bytes);
        output.Advance(PageRecord.Size);
    }
}
