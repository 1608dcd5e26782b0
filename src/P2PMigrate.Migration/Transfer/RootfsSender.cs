using System.IO.Pipelines;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Sends a root file system round by round: scan, delta, demand, chunks. One round at a time; it remembers what the target knows.
/// </summary>
// spec: MIG-22
internal sealed class RootfsSender(ITunnelSession session, JobId job, TreeLocation root, SentChunks sent, TransferMeter meter) : IDisposable
{
    private readonly TreeScanner _scanner = new(root);
    private readonly ChunkSender _chunks = new(root, sent, meter);
    private Manifest _known = Manifest.Empty;
    private bool _isIncomplete;          // a chunk of the last round was stale

    /// <summary>Bytes of file content in the tree as of the last round.</summary>
    public long DataLength => _known.DataLength;

    /// <summary>Sends one round and waits until the target has stored it. Returns the bytes of content that the target wanted.</summary>
    public async Task<long> SendRoundAsync(int round, bool isFinal, CancellationToken cancellationToken)
    {
        TreeScan scan = await Task.Run(() => Scan(isFinal, cancellationToken), cancellationToken).ConfigureAwait(false);
        ManifestDelta delta = ManifestDelta.Between(_known, scan.Manifest);
        var header = new StreamHeader(job, ContentKind.Rootfs, round, isFinal, _isIncomplete, AnswersLacks: true);
        ITunnelStream stream = await header.OpenAsync(session, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            meter.Move(0, await stream.Output.WriteRecordAsync(delta.Serialize(), cancellationToken).ConfigureAwait(false));
            ChunkCatalogue catalogue = header.IsWhole ? ChunkCatalogue.Of(scan.Manifest) : ChunkCatalogue.Of(delta);
            sent.MarkUsed(catalogue);
            (long bytes, int stale) = await AnswerDemandsAsync(stream, catalogue, isFinal, cancellationToken).ConfigureAwait(false);
            (_known, _isIncomplete) = (scan.Manifest, stale > 0);
            return bytes;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scanner.Dispose();
        _chunks.Dispose();
    }

    private TreeScan Scan(bool isFinal, CancellationToken cancellationToken)
    {
        TreeScan scan = _scanner.Scan(isFinal ? ScanMode.Frozen : ScanMode.Live, cancellationToken);
        return isFinal && !scan.Dirty.IsEmpty
            ? throw new SnapshotException($"Something outside the container writes into its files: {scan.Dirty[0]} changed while the container was frozen. Stop that first; where it is a volume that others share, leave it to the target (--volume PATH=expect).")
            : scan;
    }

    /// <summary>One demand in each round, and another when the target finds that what it had is spoiled.</summary>
    // spec: MIG-142
    private async Task<(long Bytes, int Stale)> AnswerDemandsAsync(ITunnelStream stream, ChunkCatalogue catalogue, bool isFinal, CancellationToken cancellationToken)
    {
        (long bytes, int stale) = (0, 0);
        bool lacks = true;
        for (int demands = 0; lacks; demands++)
        {
            PeerFault.Require(demands <= RootfsLimits.RefillsMax, "asked for the same content again and again");
            ChunkDemand demand = await ReadDemandAsync(stream.Input, catalogue, cancellationToken).ConfigureAwait(false);
            meter.Expect(demand.Length);
            stale += await _chunks.SendAsync(stream.Output, demand, isFinal, cancellationToken).ConfigureAwait(false);
            bytes += demand.Length;
            lacks = (await StreamReceipt.ReadNextAsync(stream.Input, cancellationToken).ConfigureAwait(false)).Lacks;
        }

        await stream.Output.CompleteAsync().ConfigureAwait(false);
        return (bytes, stale);
    }

    private static async Task<ChunkDemand> ReadDemandAsync(PipeReader input, ChunkCatalogue catalogue, CancellationToken cancellationToken)
    {
        byte[] record = await input.ReadRecordAsync(RootfsLimits.MaxDemandLength, cancellationToken).ConfigureAwait(false);
        return ChunkDemand.TryParse(record, catalogue, out ChunkDemand? demand, out string? reason)
            ? demand : throw PeerFault.Of($"sent a demand that does not fit: {reason}");
    }
}
