using System.IO.Pipelines;
using Google.Protobuf;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Snapshot.Trees;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Archives;

/// <summary>Writes an archive, part by part in the order of its methods. Does not own the stream.</summary>
// spec: ARC-10
internal sealed class ArchiveWriter : IAsyncDisposable
{
    private readonly ArchiveBlockWriter _blocks;
    private readonly PipeWriter _output;
    private readonly ArchiveTreeWriter _tree;
    private readonly TransferMeter _meter;

    /// <summary>Begins an archive of the root file system at <paramref name="root"/>; chunks in <paramref name="known"/>, which its reader has from elsewhere, are left out.</summary>
    public ArchiveWriter(Stream stream, TreeLocation root, TransferMeter meter, IReadOnlySet<ChunkId>? known = null)
    {
        _blocks = new ArchiveBlockWriter(stream);
        _output = PipeWriter.Create(_blocks, new StreamPipeWriterOptions(leaveOpen: true));
        (_tree, _meter) = (new ArchiveTreeWriter(root, meter, known ?? new HashSet<ChunkId>()), meter);
    }

    /// <summary>Bytes of the archive so far.</summary>
    public long Length => _blocks.Written;

    /// <summary>Bytes of file content in the tree.</summary>
    public long RootfsBytes => _tree.DataLength;

    /// <summary>Writes the head and, while the container runs, what its files hold.</summary>
    public async Task WriteContentAsync(ArchiveHead head, CancellationToken cancellationToken)
    {
        byte[] record = head.ToWire().ToByteArray();
        ArchiveHead.From(record); // What no reader takes is not begun.
        await _output.WriteRecordAsync(record, cancellationToken).ConfigureAwait(false);
        await BeginAsync(Wire.ArchivePart.ArchiveContent, cancellationToken).ConfigureAwait(false);
        await _tree.WriteContentAsync(_output, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The container is frozen: returns where its memory goes. Whoever gets it completes and disposes it before anything else is written.</summary>
    public async Task<ArchivePageSink> BeginMemoryAsync(PageKey key, CancellationToken cancellationToken)
    {
        await BeginAsync(Wire.ArchivePart.ArchiveMemory, cancellationToken).ConfigureAwait(false);
        return new ArchivePageSink(_output, key, _meter);
    }

    /// <summary>The dump is complete: writes its images, the tree, and the end.</summary>
    public async Task FinishAsync(string imageDirectory, CancellationToken cancellationToken)
    {
        ImageReceiver.RequireAcceptable(imageDirectory);
        await BeginAsync(Wire.ArchivePart.ArchiveImages, cancellationToken).ConfigureAwait(false);
        await ImageSender.WriteAsync(_output, imageDirectory, _meter, cancellationToken).ConfigureAwait(false);
        await BeginAsync(Wire.ArchivePart.ArchiveTree, cancellationToken).ConfigureAwait(false);
        await _tree.WriteTreeAsync(_output, cancellationToken).ConfigureAwait(false);
        await BeginAsync(Wire.ArchivePart.ArchiveEnd, cancellationToken).ConfigureAwait(false);
        await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await _blocks.FinishAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _tree.Dispose();
        await _blocks.DisposeAsync().ConfigureAwait(false);
    }

    private ValueTask<long> BeginAsync(Wire.ArchivePart part, CancellationToken cancellationToken) =>
        _output.WriteRecordAsync(new Wire.ArchiveSection { Part = part }, cancellationToken);
}
