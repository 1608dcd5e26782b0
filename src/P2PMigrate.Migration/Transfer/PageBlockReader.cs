using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>Reads records and page blocks from a peer's stream. What does not fit is the peer's fault. One caller.</summary>
internal sealed class PageBlockReader(TransferMeter meter)
{
    private readonly byte[] _block = new byte[PageBlock.MaxLength];

    /// <summary>Reads a record into <paramref name="bytes"/>, which has its size.</summary>
    public static async ValueTask<PageRecord> ReadRecordAsync(PipeReader input, byte[] bytes, CancellationToken cancellationToken)
    {
        ReadResult result = await input.ReadAtLeastAsync(PageRecord.Size, cancellationToken).ConfigureAwait(false);
        if (result.Buffer.Length < PageRecord.Size)
            throw PeerFault.EndedEarly();
        ReadOnlySequence<byte> slice = result.Buffer.Slice(0, PageRecord.Size);
        slice.CopyTo(bytes);
        input.AdvanceTo(slice.End);
        return PageRecord.TryParse(bytes, out PageRecord record, out string? reason) ? record : throw PeerFault.Of(reason);
    }

    /// <summary>Reads a block of exactly <paramref name="pages"/> pages into the front of <paramref name="room"/>, which has <see cref="PageBlock.MaxContentLength"/> bytes.</summary>
    public async ValueTask<PageBlockHeader> ReadBlockAsync(PipeReader input, uint pages, Memory<byte> room, CancellationToken cancellationToken)
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
                return Decode(length, room.Span);
            }

            input.AdvanceTo(bytes.Start);
            if (!PageBlock.TryReadHeader(_block.AsSpan(0, length), out PageBlockHeader header, out string? reason))
                throw PeerFault.Of($"sent {reason}");
            PeerFault.Require(header.Pages == pages, "sent another number of pages than it says");
            length = header.Length;
        }
    }

    private PageBlockHeader Decode(int length, Span<byte> room)
    {
        if (!PageBlock.TryDecode(_block.AsSpan(0, length), room, out PageBlockHeader header, out string? reason))
            throw PeerFault.Of($"sent pages that are none: {reason}");
        meter.Move(header.ContentLength, length);
        return header;
    }
}
