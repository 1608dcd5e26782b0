using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// The sink that a dump at the source writes to: every page goes into a block on a bulk stream at once, so that memory travels while
/// CRIU dumps. <see cref="CompleteAsync"/> returns when the target has written everything down.
/// </summary>
internal sealed class PageSender : IPageSink, IAsyncDisposable
{
    private const int FlushThreshold = 1 << 20;

    private readonly ITunnelStream _stream;
    private readonly TransferMeter _meter;
    private bool _isComplete;

    private PageSender(ITunnelStream stream, TransferMeter meter) => (_stream, _meter) = (stream, meter);

    /// <summary>Pages with content that were sent.</summary>
    public long Pages { get; private set; }

    /// <summary>Opens the stream.</summary>
    public static async Task<PageSender> OpenAsync(ITunnelSession session, JobId job, TransferMeter meter, CancellationToken cancellationToken)
    {
        ITunnelStream stream = await new StreamHeader(job, ContentKind.Memory).OpenAsync(session, cancellationToken).ConfigureAwait(false);
        return new PageSender(stream, meter);
    }

    /// <inheritdoc/>
    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        Write(PageRecord.Of(space));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        Write(PageRecord.Of(run));
        for (int offset = 0, unflushed = 0; offset < pages.Length;)
        {
            int length = Math.Min(PageBlock.MaxContentLength, pages.Length - offset);
            int written = PageBlock.Encode(pages.Span.Slice(offset, length), _stream.Output.GetSpan(PageBlock.MaxLength));
            _stream.Output.Advance(written);
            _meter.Move(length, written);
            offset += length;
            unflushed += written;
            if (unflushed >= FlushThreshold || offset == pages.Length)
            {
                await _stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
                unflushed = 0;
            }
        }

        Pages += pages.Length / PageRun.PageSize;
    }

    /// <inheritdoc/>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_isComplete)
            return;
        Write(PageRecord.End(Pages));
        await _stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await StreamReceipt.ReadAsync(_stream, cancellationToken).ConfigureAwait(false);
        _isComplete = true;
    }

    /// <summary>Resets the stream unless it is complete.</summary>
    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void Write(PageRecord record)
    {
        record.Write(_stream.Output.GetSpan(PageRecord.Size));
        _stream.Output.Advance(PageRecord.Size);
    }
}
