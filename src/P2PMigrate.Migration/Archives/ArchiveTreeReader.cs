using System.IO.Pipelines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Archives;

/// <summary>Reads a root file system out of an archive: content into a store, then the tree below its root made equal to the manifest. Does not own the store.</summary>
// spec: ARC-11
internal sealed class ArchiveTreeReader(string root, IChunkStore store, ContentBudget room, TransferMeter meter)
{
    /// <summary>Reads the content that stands before memory.</summary>
    public async Task ReadContentAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            byte[] record = await input.ReadRecordAsync(SnapshotLimits.MaxBatchLength, cancellationToken).ConfigureAwait(false);
            if (record.Length == 0)
                return;
            if (!ChunkBatch.TryParse(record, out IReadOnlyList<EncodedChunk>? chunks, out string? reason))
                throw PeerFault.Of($"holds content that is none: {reason}");
            foreach (EncodedChunk chunk in chunks)
            {
                room.Spend(chunk.Length);
                if (!store.TryWrite(chunk, out reason))
                    throw PeerFault.Of($"holds content that is not what it is called: {reason}");
                meter.Move(chunk.Length, chunk.RecordLength);
            }
        }
    }

    /// <summary>Reads the tree and the rest of its content, and builds it. It is on the disk when this returns.</summary>
    public async Task ReadTreeAsync(PipeReader input, CancellationToken cancellationToken)
    {
        byte[] record = await input.ReadRecordAsync(SnapshotLimits.MaxManifestLength, cancellationToken).ConfigureAwait(false);
        if (!Manifest.TryParse(record, out Manifest? manifest, out string? reason))
            throw PeerFault.Of($"holds a tree that is none: {reason}");
        await ReadContentAsync(input, cancellationToken).ConfigureAwait(false);
        await Task.Run(() => Build(manifest, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private void Build(Manifest manifest, CancellationToken cancellationToken)
    {
        using TreeApplier applier = new(root, store);
        applier.Apply(manifest, MissingContent.Refuse, cancellationToken);
        applier.Flush();
    }
}
