using System.IO.Pipelines;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Transfer;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Archives;

/// <summary>
/// Reads an archive front to back, part by part. Does not own the stream. What is no archive or damaged is a <see cref="MigrationException"/>; so is what is whole and makes no sense.
/// </summary>
// spec: ARC-10
internal sealed class ArchiveReader : IAsyncDisposable
{
    private readonly ArchiveBlockReader _blocks;
    private readonly PipeReader _input;

    /// <summary>Begins to read.</summary>
    public ArchiveReader(Stream stream)
    {
        _blocks = new ArchiveBlockReader(stream);
        _input = PipeReader.Create(_blocks, new StreamPipeReaderOptions(bufferSize: ArchiveBlocks.BlockLength, leaveOpen: true));
    }

    /// <summary>Where the parts' bytes are.</summary>
    public PipeReader Input => _input;

    /// <summary>Reads what the archive says of itself.</summary>
    public async Task<ArchiveHead> ReadHeadAsync(CancellationToken cancellationToken)
    {
        const int HeadLengthMax = ControlLimits.MaxMessageLength;
        return ArchiveHead.From(await _input.ReadRecordAsync(HeadLengthMax, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The next part is this one, or the archive makes no sense.</summary>
    public async Task ExpectAsync(Wire.ArchivePart part, CancellationToken cancellationToken)
    {
        byte[] record = await _input.ReadRecordAsync(ControlLimits.MaxRecordLength, cancellationToken).ConfigureAwait(false);
        PeerFault.Require(PeerFault.Parse(Wire.ArchiveSection.Parser, record).Part == part, $"has something else where {part} should be");
    }

    /// <summary>Returns when the archive was verified to its end.</summary>
    // spec: ARC-13
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await ExpectAsync(Wire.ArchivePart.ArchiveEnd, cancellationToken).ConfigureAwait(false);
        ReadResult rest = await _input.ReadAsync(cancellationToken).ConfigureAwait(false);
        PeerFault.Require(rest.Buffer.IsEmpty && await _blocks.TryReachEndAsync(cancellationToken).ConfigureAwait(false), "goes on behind its last part");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _blocks.DisposeAsync().ConfigureAwait(false);
}
