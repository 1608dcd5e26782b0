using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Takes in memory and hands it to the runtime's page writer. A long run reaches the writer in pieces of at most
/// <see cref="PiecePages"/> pages, one behind the other.
/// </summary>
// spec: MIG-26
internal sealed class PageReceiver(IPageSink writer, ContentBudget budget, TransferMeter meter)
{
    /// <summary>Pages handed to the writer at once.</summary>
    public const int PiecePages = 1024;

    private readonly byte[] _piece = new byte[PiecePages * PageRun.PageSize];
    private readonly byte[] _block = new byte[PageBlock.MaxLength];
    private long _pages;
    private bool _isOpen;

    /// <summary>Takes in a whole stream and returns the bytes of all pages.</summary>
    public async Task<long> ReceiveAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            byte[] bytes = await input.TryReadExactlyAsync(PageRecord.Size, cancellationToken).ConfigureAwait(false) ?? throw PeerFault.EndedEarly();
            if (!PageRecord.TryParse(bytes, out PageRecord record, out string? reason))
                throw PeerFault.Of(reason);
            if (record.Kind == PageRecordKind.End)
                return await CompleteAsync(record.Number, cancellationToken).ConfigureAwait(false);
            await HandleAsync(input, record, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<long> CompleteAsync(ulong pages, CancellationToken cancellationToken)
    {
        PeerFault.Require(pages == (ulong)_pages, "sent another number of pages than it says");
        await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return _pages * PageRun.PageSize;
    }

    private async Task HandleAsync(PipeReader input, PageRecord record, CancellationToken cancellationToken)
    {
        if (record.Kind == PageRecordKind.Space)
        {
            await writer.OpenAsync(record.Space, cancellationToken).ConfigureAwait(false);
            _isOpen = true;
            return;
        }

        PeerFault.Require(_isOpen, "sent pages of no space");
        if (record.Run.IsPresent)
            await ReceiveRunAsync(input, record.Run, cancellationToken).ConfigureAwait(false);
        else
            await writer.WriteAsync(record.Run, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReceiveRunAsync(PipeReader input, PageRun run, CancellationToken cancellationToken)
    {
        budget.Spend((long)run.Pages * PageRun.PageSize);
        uint written = 0;
        for (uint received = 0; received < run.Pages;)
        {
            int offset = (int)(received - written) * PageRun.PageSize;
            int pages = await ReceiveBlockAsync(input, offset, cancellationToken).ConfigureAwait(false);
            received += (uint)pages;
            PeerFault.Require(received <= run.Pages, "sent more pages than the run has");
            if (received < run.Pages && received - written + SnapshotLimits.MaxBlockPages <= PiecePages)
                continue;
            var piece = new PageRun(run.Address + ((ulong)written * PageRun.PageSize), received - written, run.Flags);
            await writer.WriteAsync(piece, _piece.AsMemory(0, (int)piece.Pages * PageRun.PageSize), cancellationToken).ConfigureAwait(false);
            written = received;
        }

        _pages += run.Pages;
    }

    private async Task<int> ReceiveBlockAsync(PipeReader input, int offset, CancellationToken cancellationToken)
    {
        int length = PageBlock.HeaderSize;
        for (int pass = 0; ; pass++)
        {
            ReadResult result = await input.ReadAtLeastAsync(length, cancellationToken).ConfigureAwait(false);
            if (result.Buffer.Length < length)
                throw PeerFault.EndedEarly();
            ReadOnlySequence<byte> bytes = result.Buffer.Slice(0, length);
            bytes.CopyTo(_block);
            if (pass == 1)
            {
                input.AdvanceTo(bytes.End);
                return Decode(length, offset);
            }

            input.AdvanceTo(bytes.Start);
            if (!PageBlock.TryReadHeader(_block.AsSpan(0, length), out PageBlockHeader header, out string? reason))
                throw PeerFault.Of($"sent {reason}");
            length = header.Length;
        }
    }

    private int Decode(int length, int offset)
    {
        Span<byte> room = _piece.AsSpan(offset);
        if (!PageBlock.TryDecode(_block.AsSpan(0, length), room, out PageBlockHeader header, out string? reason))
            throw PeerFault.Of($"sent pages that are none: {reason}");
        meter.Move(header.ContentLength, length);
        return header.Pages;
    }
}
