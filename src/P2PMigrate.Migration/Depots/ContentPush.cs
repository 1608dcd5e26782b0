using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Depots;

/// <summary>Puts what the files of a running container hold into its depot, as far as it is not there yet.</summary>
// spec: DEP-11
internal sealed class ContentPush(Depot depot, TreeLocation root, TransferMeter meter) : IDisposable
{
    private readonly TreeScanner _scanner = new(root);
    private readonly ChunkSource _source = new(root);
    private readonly ContentPack _pack = new();

    /// <summary>Bytes of chunks that were in the depot already.</summary>
    public long KnownBytes { get; private set; }

    /// <summary>Bytes of chunks that were put there.</summary>
    public long PushedBytes { get; private set; }

    /// <summary>Reads the tree once and sends what is missing. Files that change meanwhile are left to a later pass.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        HashSet<ChunkId> known = await depot.KnownAsync(cancellationToken).ConfigureAwait(false);
        TreeScan scan = await Task.Run(() => _scanner.Scan(ScanMode.Live, cancellationToken), cancellationToken).ConfigureAwait(false);
        ChunkCatalogue catalogue = ChunkCatalogue.Of(scan.Manifest);
        KnownBytes = catalogue.Chunks.Where(location => known.Contains(location.Chunk)).Sum(location => (long)location.Length);
        meter.Expect(catalogue.Chunks.Sum(location => (long)location.Length) - KnownBytes);
        foreach (ChunkLocation location in catalogue.Chunks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (known.Contains(location.Chunk) || !_source.TryRead(location, out EncodedChunk chunk))
                continue;
            _pack.Add(chunk);
            PushedBytes += chunk.Length;
            meter.Move(chunk.Length, chunk.RecordLength);
            if (_pack.IsFull)
                await SendAsync(cancellationToken).ConfigureAwait(false);
        }

        // A container without any content has been pushed too.
        if (!_pack.IsEmpty || (await depot.ListPacksAsync(cancellationToken).ConfigureAwait(false)).Count == 0)
            await SendAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scanner.Dispose();
        _source.Dispose();
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await depot.AddPackAsync(_pack.Bytes, _pack.Chunks, cancellationToken).ConfigureAwait(false);
        _pack.Clear();
    }
}
