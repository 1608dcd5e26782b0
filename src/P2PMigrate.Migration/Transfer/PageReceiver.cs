using System.IO.Pipelines;
using System.Security.Cryptography;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Takes in the memory of a dump, fresh pages from the stream and others from those that are kept, and hands it to the runtime's page
/// writer. A long run reaches the writer in pieces of at most <see cref="PiecePages"/> pages, one behind the other. Every page is named
/// anew on its way, so that what was put together is proven to be what was dumped.
/// </summary>
// spec: MIG-26, MIG-81
internal sealed class PageReceiver(IPageSink writer, KeptPages kept, ContentBudget budget, TransferMeter meter)
{
    /// <summary>Pages handed to the writer at once.</summary>
    public const int PiecePages = 1024;

    /// <summary>What a space costs the budget: its directory entry, its image's first block.</summary>
    public const long SpaceCost = 8 << 10;

    /// <summary>What a run costs the budget, whether or not it has pages: its entry in an image.</summary>
    public const long RunCost = 32;

    private readonly PageBlockReader _blocks = new(meter);
    private readonly byte[] _record = new byte[PageRecord.Size];
    private readonly byte[] _piece = new byte[(PiecePages + SnapshotLimits.MaxBlockPages) * PageRun.PageSize];
    private PageKey? _key;
    private PageStore? _store;
    private long _pages;
    private bool _isOpen;

    /// <summary>Takes in a whole stream and returns the bytes of all pages.</summary>
    public async Task<long> ReceiveAsync(PipeReader input, StreamHeader header, CancellationToken cancellationToken)
    {
        (_key, _store) = kept.BeginDump(header);
        using var digest = new MemoryDigest();
        while (true)
        {
            PageRecord record = await PageBlockReader.ReadRecordAsync(input, _record, cancellationToken).ConfigureAwait(false);
            if (record.Kind == PageRecordKind.End)
                return await CompleteAsync(input, record.Number, digest, cancellationToken).ConfigureAwait(false);
            digest.AddRecord(_record);
            await HandleAsync(input, record, digest, cancellationToken).ConfigureAwait(false);
        }
    }

    // spec: MEM-04, MIG-82
    private async Task<long> CompleteAsync(PipeReader input, ulong pages, MemoryDigest digest, CancellationToken cancellationToken)
    {
        PeerFault.Require(pages == (ulong)_pages, "sent another number of pages than it says");
        byte[] expected = await input.TryReadExactlyAsync(MemoryDigest.Size, cancellationToken).ConfigureAwait(false) ?? throw PeerFault.EndedEarly();
        if (!CryptographicOperations.FixedTimeEquals(expected, digest.Finish()))
            throw new SnapshotException("The memory that was put together at the target is not what was dumped at the source.");
        kept.Release();
        await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return _pages * PageRun.PageSize;
    }

    private async Task HandleAsync(PipeReader input, PageRecord record, MemoryDigest digest, CancellationToken cancellationToken)
    {
        if (record.Kind == PageRecordKind.Space)
        {
            budget.Spend(SpaceCost);
            await writer.OpenAsync(record.Space, cancellationToken).ConfigureAwait(false);
            _isOpen = true;
            return;
        }

        PeerFault.Require(record.Kind == PageRecordKind.Run && _isOpen, "sent pages of no space");
        budget.Spend(RunCost);
        if (record.Run.IsPresent)
            await ReceiveRunAsync(input, record.Run, digest, cancellationToken).ConfigureAwait(false);
        else
            await writer.WriteAsync(record.Run, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReceiveRunAsync(PipeReader input, PageRun run, MemoryDigest digest, CancellationToken cancellationToken)
    {
        budget.Spend((long)run.Pages * PageRun.PageSize);
        uint written = 0;
        for (uint received = 0; received < run.Pages;)
        {
            PageRecord record = await PageBlockReader.ReadRecordAsync(input, _record, cancellationToken).ConfigureAwait(false);
            PeerFault.Require(record.Kind is PageRecordKind.Fresh or PageRecordKind.Kept, "left a run without its pages");
            PeerFault.Require(record.First <= run.Pages - received, "sent more pages than the run has");
            for (uint done = 0; done < record.First;)
            {
                uint part = await PlaceAsync(input, record, done, (int)(received - written), digest, cancellationToken).ConfigureAwait(false);
                (done, received) = (done + part, received + part);
                if (received < run.Pages && received - written < PiecePages)
                    continue;
                var piece = new PageRun(run.Address + ((ulong)written * PageRun.PageSize), received - written, run.Flags);
                await writer.WriteAsync(piece, _piece.AsMemory(0, (int)piece.Pages * PageRun.PageSize), cancellationToken).ConfigureAwait(false);
                written = received;
            }
        }

        _pages += run.Pages;
    }

    /// <summary>Puts pages of a record, from the one it has come to, behind the <paramref name="waiting"/> that are in the piece. Returns how many.</summary>
    private async ValueTask<uint> PlaceAsync(PipeReader input, PageRecord record, uint done, int waiting, MemoryDigest digest, CancellationToken cancellationToken)
    {
        Memory<byte> room = _piece.AsMemory(waiting * PageRun.PageSize);
        uint pages = record.First;
        if (record.Kind == PageRecordKind.Fresh)
        {
            PeerFault.Require(record.Number == 0, "numbered pages that are not kept");
            await _blocks.ReadBlockAsync(input, pages, room, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            pages = Math.Min(pages - done, (uint)(PiecePages - waiting));
            ReadKept(record.Number + done, pages, room.Span);
        }

        for (int page = 0; page < pages; page++)
            digest.AddPage(_key!.NameOf(room.Span.Slice(page * PageRun.PageSize, PageRun.PageSize)));
        return pages;
    }

    // spec: MEM-03
    private void ReadKept(ulong number, uint pages, Span<byte> room)
    {
        PeerFault.Require(_store?.Contains(number, pages) == true, "names pages that it never sent");
        _store.Read(number, room[..((int)pages * PageRun.PageSize)]);
        meter.Move((long)pages * PageRun.PageSize, 0);
    }
}
