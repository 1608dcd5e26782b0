using System.IO.Pipelines;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Takes in rounds of live memory: pages that are kept under the next numbers, of which the dump may make use or not. When the disk has no room, the
/// rest of the round is read and forgotten, and its receipt says so.
/// </summary>
// spec: MIG-80, MIG-87
internal sealed class LiveMemoryReceiver(KeptPages kept, TransferMeter meter)
{
    private readonly PageBlockReader _blocks = new(meter);
    private readonly byte[] _record = new byte[PageRecord.Size];
    private readonly byte[] _pages = new byte[PageBlock.MaxContentLength];

    /// <summary>Takes in one round and returns the bytes of its first pages, which are kept: all of them, or those for which there was room.</summary>
    public async Task<long> ReceiveRoundAsync(PipeReader input, StreamHeader header, CancellationToken cancellationToken)
    {
        PageStore store = kept.Begin(header);
        ulong first = (ulong)store.Count, pages = 0;
        bool hasRoom = true;
        PageRecord record;
        while ((record = await PageBlockReader.ReadRecordAsync(input, _record, cancellationToken).ConfigureAwait(false)).Kind != PageRecordKind.End)
        {
            PeerFault.Require(record.Kind == PageRecordKind.Fresh, "sent something else than pages in a round of memory");
            PeerFault.Require(record.Number == first + pages, "numbered pages in another order than they came");
            kept.Spend((long)record.First * PageRun.PageSize);
            PageBlockHeader block = await _blocks.ReadBlockAsync(input, record.First, _pages, cancellationToken).ConfigureAwait(false);
            PeerFault.Require(block.Zeros == 0, "sent pages of zeros to be kept");
            hasRoom = hasRoom && kept.HasRoom(block.ContentLength) && store.TryAppend(_pages.AsSpan(0, block.ContentLength));
            pages += record.First;
        }

        PeerFault.Require(record.Number == pages, "sent another number of pages than it says");
        kept.End();
        return (store.Count - (long)first) * PageRun.PageSize;
    }
}
