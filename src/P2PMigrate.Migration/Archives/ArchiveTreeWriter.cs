using System.IO.Pipelines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Archives;

/// <summary>Writes a root file system into an archive: its content ahead of the freeze, then, frozen, the tree and what changed since.</summary>
// spec: ARC-11
internal sealed class ArchiveTreeWriter(TreeLocation root, TransferMeter meter, IReadOnlySet<ChunkId> known) : IDisposable
{
    private readonly TreeScanner _scanner = new(root);
    private readonly ChunkSource _source = new(root);
    private readonly ChunkBatch _batch = new();
    private readonly HashSet<ChunkId> _written = [.. known];

    /// <summary>Bytes of file content in the tree.</summary>
    public long DataLength { get; private set; }

    /// <summary>Writes what the files hold while the container runs.</summary>
    public async Task WriteContentAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        TreeScan scan = await Task.Run(() => _scanner.Scan(ScanMode.Live, cancellationToken), cancellationToken).ConfigureAwait(false);
        meter.Expect(scan.Manifest.DataLength);
        await WriteChunksAsync(output, scan.Manifest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the tree, and every chunk of it that is not in the archive yet. Nobody writes to the root file system meanwhile, or this throws.</summary>
    public async Task WriteTreeAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        TreeScan scan = await Task.Run(() => _scanner.Scan(ScanMode.Frozen, cancellationToken), cancellationToken).ConfigureAwait(false);
        byte[] manifest = scan.Manifest.Serialize();
        if (manifest.Length > SnapshotLimits.MaxManifestLength)
            throw new SnapshotException("The root file system has more files than an archive can hold.");
        await output.WriteRecordAsync(manifest, cancellationToken).ConfigureAwait(false);
        int stale = await WriteChunksAsync(output, scan.Manifest, cancellationToken).ConfigureAwait(false);
        if (stale > 0 || !scan.Dirty.IsEmpty)
            throw new SnapshotException("Something outside the container writes into its files, which changed while the container was frozen. Stop that first; a volume that others share cannot be part of it (--volume PATH=expect).");
        DataLength = scan.Manifest.DataLength;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scanner.Dispose();
        _source.Dispose();
    }

    private async Task<int> WriteChunksAsync(PipeWriter output, Manifest manifest, CancellationToken cancellationToken)
    {
        int stale = 0;
        _source.Close(); // A file that was replaced since it was read has another inode.
        foreach (ChunkLocation location in ChunkCatalogue.Of(manifest).Chunks)
        {
            if (_written.Contains(location.Chunk))
                continue;
            if (!_source.TryRead(location, out EncodedChunk chunk))
            {
                stale++;
                continue;
            }

            if (!_batch.TryAdd(chunk))
            {
                await WriteBatchAsync(output, cancellationToken).ConfigureAwait(false);
                _batch.TryAdd(chunk);
            }

            _written.Add(location.Chunk);
            meter.Move(chunk.Length, chunk.RecordLength);
        }

        await WriteBatchAsync(output, cancellationToken).ConfigureAwait(false);
        await output.WriteRecordAsync(ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        return stale;
    }

    private async Task WriteBatchAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        if (_batch.Count == 0)
            return;
        await output.WriteRecordAsync(_batch.Bytes, cancellationToken).ConfigureAwait(false);
        _batch.Clear();
    }
}
