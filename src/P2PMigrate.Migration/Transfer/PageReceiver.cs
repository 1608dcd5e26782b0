using System.IO.Pipelines;
using System.Security.Cryptography;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Takes in the memory of a dump, fresh pages from the stream and others from those that are kept, and hands it to the runtime's page
/// writer. Fresh pages reach the writer in pieces of little more than <see cref="PiecePages"/> pages, one behind the other; kept ones are not touched: what each was called when it
/// came is known, so that what was put together is proven to be what was dumped.
/// </summary>
// spec: MIG-26, MIG-81
internal sealed class PageReceiver(IPageSink writer, KeptPages kept, ContentBudget budget, TransferMeter meter, bool mayLeave = false)
{
    /// <summary>Pages handed to the writer at once.</summary>
    public const int PiecePages = 1024;

    /// <summary>What a space costs the budget: its directory entry, its image's first block.</summary>
    public const long SpaceCost = 8 << 10;

    /// <summary>What a run costs the budget, whether or not it has pages: its entry in an image.</summary>
    public const long RunCost = 32;

    private const uint LazyFlag = 2;

    private readonly PageBlockReader _blocks = new(meter);
    private readonly byte[] _record = new byte[PageRecord.Size];
    private readonly byte[] _piece = new byte[(PiecePages + SnapshotLimits.MaxBlockPages) * PageRun.PageSize];
    private PageKey? _key;
    private PageStore? _store;
    private long _pages;
    private bool _isOpen, _isProcess, _hasLeft;

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
        await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        if (!_hasLeft)
            kept.Release(); // else what follows may name pages that are kept
        return _pages * PageRun.PageSize;
    }

    private async Task HandleAsync(PipeReader input, PageRecord record, MemoryDigest digest, CancellationToken cancellationToken)
    {
        if (record.Kind == PageRecordKind.Space)
        {
            budget.Spend(SpaceCost);
            await writer.OpenAsync(record.Space, cancellationToken).ConfigureAwait(false);
            (_isOpen, _isProcess) = (true, record.Space.Kind == PageSpaceKind.Process);
            return;
        }

        PeerFault.Require(record.Kind == PageRecordKind.Run && _isOpen, "sent pages of no space");
        budget.Spend(RunCost);
        if (_isProcess && record.Run.Flags == LazyFlag)
            Leave(record.Run);
        if (record.Run.IsPresent)
            await ReceiveRunAsync(input, record.Run, digest, cancellationToken).ConfigureAwait(false);
        else
            await writer.WriteAsync(record.Run, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What follows later takes the same room.</summary>
    // spec: MEM-20, MIG-101
    private void Leave(PageRun run)
    {
        PeerFault.Require(mayLeave, "left memory for later, which was not agreed");
        budget.Spend((long)run.Pages * PageRun.PageSize);
        _hasLeft = true;
    }

    private async Task ReceiveRunAsync(PipeReader input, PageRun run, MemoryDigest digest, CancellationToken cancellationToken)
    {
        budget.Spend((long)run.Pages * PageRun.PageSize);
        uint done = 0, waiting = 0;          // pages of the run that the writer has, and fresh ones behind them that are in the piece
        while (done + waiting < run.Pages)
        {
            PageRecord record = await PageBlockReader.ReadRecordAsync(input, _record, cancellationToken).ConfigureAwait(false);
            PeerFault.Require(record.Kind is PageRecordKind.Fresh or PageRecordKind.Kept, "left a run without its pages");
            PeerFault.Require(record.First <= run.Pages - done - waiting, "sent more pages than the run has");
            bool isKept = record.Kind == PageRecordKind.Kept;
            if (!isKept)
            {
                await PlaceAsync(input, record, (int)waiting, digest, cancellationToken).ConfigureAwait(false);
                waiting += record.First;
            }

            if (waiting > 0 && (isKept || waiting >= PiecePages || done + waiting == run.Pages))
            {
                await writer.WriteAsync(Part(run, done, waiting), _piece.AsMemory(0, (int)waiting * PageRun.PageSize), cancellationToken).ConfigureAwait(false);
                (done, waiting) = (done + waiting, 0);
            }

            if (isKept)
            {
                await WriteKeptAsync(Part(run, done, record.First), record.Number, digest, cancellationToken).ConfigureAwait(false);
                done += record.First;
            }
        }

        _pages += run.Pages;
    }

    private static PageRun Part(PageRun run, uint first, uint pages) => new(run.Address + ((ulong)first * PageRun.PageSize), pages, run.Flags);

    /// <summary>Puts fresh pages behind the <paramref name="waiting"/> that are in the piece.</summary>
    private async ValueTask PlaceAsync(PipeReader input, PageRecord record, int waiting, MemoryDigest digest, CancellationToken cancellationToken)
    {
        Memory<byte> room = _piece.AsMemory(waiting * PageRun.PageSize);
        PeerFault.Require(record.Number == 0, "numbered pages that are not kept");
        await _blocks.ReadBlockAsync(input, record.First, room, cancellationToken).ConfigureAwait(false);
        for (int page = 0; page < record.First; page++)
            digest.AddPage(_key!.NameOf(room.Span.Slice(page * PageRun.PageSize, PageRun.PageSize)));
    }

    // spec: MEM-03, MEM-04
    private async ValueTask WriteKeptAsync(PageRun run, ulong number, MemoryDigest digest, CancellationToken cancellationToken)
    {
        PeerFault.Require(_store?.Contains(number, run.Pages) == true, "names pages that it never sent");
        budget.Spend(RunCost);
        for (uint page = 0; page < run.Pages; page++)
            digest.AddPage(_store.NameOf(number + page));
        await writer.WriteKeptAsync(run, _store, number, cancellationToken).ConfigureAwait(false);
        meter.Move((long)run.Pages * PageRun.PageSize, 0);
    }
}
