using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Takes in a root file system round by round: content into the store, then the tree below its root made equal to the manifest.
/// Rounds come one after the other, the final one last; anything else is the source's fault.
/// </summary>
// spec: MIG-22
internal sealed class RootfsReceiver : IDisposable
{
    private const int LongestBatch = ZstdBatch.MaxLength;

    private readonly ArrivingChunks _store;
    private readonly TreeApplier _applier;
    private readonly ContentBudget _budget;
    private readonly ILogger _logger;
    private readonly TransferMeter _meter;
    private Manifest _manifest = Manifest.Empty;
    private int _nextRound;
    private bool _isBusy;
    private bool _isFinal;
    private bool _isFlushed;             // nothing was applied since

    /// <summary>Takes in the tree below <paramref name="root"/>, an existing directory. Does not own the store.</summary>
    public RootfsReceiver(string root, IChunkStore store, ContentBudget budget, ILogger logger, TransferMeter meter)
    {
        _store = new ArrivingChunks(store);
        _applier = new TreeApplier(root, _store);
        (_budget, _logger, _meter) = (budget, logger, meter);
    }

    /// <summary>How long the final round took to apply.</summary>
    public TimeSpan FinalApply { get; private set; }

    /// <summary>Takes in one round and applies it. Returns the bytes of new content when the tree is what the round describes.</summary>
    public async Task<long> ReceiveRoundAsync(IDuplexPipe stream, StreamHeader header, CancellationToken cancellationToken)
    {
        PeerFault.Require(!_isBusy && !_isFinal && header.Round == _nextRound, "sent a round when it was not its turn");
        (_isBusy, _isFinal) = (true, header.IsFinal);
        (Manifest next, ChunkDemand demand) = await ReceiveTreeAsync(stream.Input, header, cancellationToken).ConfigureAwait(false);
        int refillsLeft = header.AnswersLacks ? RootfsLimits.RefillsMax : 0;
        (long bytes, ChunkDemand? spoiled) = header.IsFinal
            ? (await ReceiveWantedAsync(stream, demand, cancellationToken).ConfigureAwait(false), await ApplyAsync(next, demand, isFinal: true, refillsLeft > 0, cancellationToken).ConfigureAwait(false))
            : await ReceiveAndApplyAsync(stream, next, demand, refillsLeft > 0, cancellationToken).ConfigureAwait(false);
        while (spoiled is not null)
        {
            refillsLeft--;
            await new StreamReceipt(bytes, Lacks: true).WriteAsync(stream.Output, cancellationToken).ConfigureAwait(false);
            bytes += await ReceiveWantedAsync(stream, spoiled, cancellationToken).ConfigureAwait(false);
            spoiled = await ApplyAsync(next, demand, header.IsFinal, refillsLeft > 0, cancellationToken).ConfigureAwait(false);
        }

        (_manifest, _nextRound, _isBusy) = (next, _nextRound + 1, false);
        return bytes;
    }

    /// <summary>Returns when the tree is on the disk. A container is frozen meanwhile, so nothing is flushed twice.</summary>
    // spec: MIG-28, MIG-72
    public void Flush()
    {
        if (_isFlushed)
            return;
        _applier.Flush();
        _isFlushed = true;
    }

    /// <inheritdoc/>
    public void Dispose() => _applier.Dispose();

    /// <summary>Applies a live round while its content comes. Whichever of the two fails first ends the other, and its reason counts; returns when both have ended.</summary>
    // spec: SNAP-115
    private async Task<(long Bytes, ChunkDemand? Spoiled)> ReceiveAndApplyAsync(
        IDuplexPipe stream, Manifest next, ChunkDemand demand, bool mayAsk, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _store.Begin(demand);
        Task<ChunkDemand?> applying = ApplyAsync(next, demand, isFinal: false, mayAsk, stop.Token);
        Task<long> receiving = ReceiveAndEndAsync(stream, demand, stop.Token);
        Task first = await Task.WhenAny(receiving, applying).ConfigureAwait(false);
        if (!first.IsCompletedSuccessfully)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(receiving, applying).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await first.ConfigureAwait(false);
        }

        return (await receiving.ConfigureAwait(false), await applying.ConfigureAwait(false));
    }

    /// <summary>However it ends, nobody waits for content any more.</summary>
    private async Task<long> ReceiveAndEndAsync(IDuplexPipe stream, ChunkDemand demand, CancellationToken cancellationToken)
    {
        try
        {
            return await ReceiveWantedAsync(stream, demand, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _store.End();
        }
    }

    private async Task<(Manifest Next, ChunkDemand Demand)> ReceiveTreeAsync(PipeReader input, StreamHeader header, CancellationToken cancellationToken)
    {
        byte[] record = await input.ReadRecordAsync(SnapshotLimits.MaxManifestLength, cancellationToken).ConfigureAwait(false);
        if (!ManifestDelta.TryParse(record, out ManifestDelta? delta, out string? reason)
            || !delta.TryApply(_manifest, out Manifest? next, out reason))
            throw PeerFault.Of($"sent a tree that does not fit: {reason}");
        ChunkCatalogue catalogue = header.IsWhole ? ChunkCatalogue.Of(next) : ChunkCatalogue.Of(delta);
        return (next, ChunkDemand.Of(catalogue, _store, takesZstd: true));
    }

    private async Task<long> ReceiveWantedAsync(IDuplexPipe stream, ChunkDemand demand, CancellationToken cancellationToken)
    {
        long wanted = demand.Length;
        _budget.Spend(wanted);
        _meter.Expect(wanted);
        await stream.Output.WriteRecordAsync(demand.Serialize(), cancellationToken).ConfigureAwait(false);
        await ReceiveChunksAsync(stream.Input, wanted, cancellationToken).ConfigureAwait(false);
        return wanted;
    }

    /// <summary>While one batch comes, the one before it is stored.</summary>
    private async Task ReceiveChunksAsync(PipeReader input, long wanted, CancellationToken cancellationToken)
    {
        Task storing = Task.CompletedTask;
        try
        {
            while (true)
            {
                byte[] record = await input.ReadRecordAsync(LongestBatch, cancellationToken).ConfigureAwait(false);
                await storing.ConfigureAwait(false);
                if (record.Length == 0)
                    return;
                storing = Task.Run(() => wanted = Store(record, wanted), CancellationToken.None);
            }
        }
        finally
        {
            await storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>No more than was wanted, of which the rest is returned; each chunk is verified by the store.</summary>
    private long Store(byte[] record, long wanted)
    {
        bool isBatch = ZstdBatch.IsOne(record)
            ? ZstdBatch.TryParse(record, out IReadOnlyList<EncodedChunk>? chunks, out string? reason)
            : ChunkBatch.TryParse(record, out chunks, out reason);
        if (!isBatch)
            throw PeerFault.Of($"sent content that is none: {reason}");
        long content = chunks!.Sum(chunk => (long)chunk.Length);
        PeerFault.Require(content <= wanted, "sent content that nobody wanted");
        foreach (EncodedChunk chunk in chunks!)
        {
            if (!_store.TryWrite(chunk, out reason))
                throw PeerFault.Of($"sent content that is not what it is called: {reason}");
        }

        _meter.Move(content, record.Length);
        return wanted - content;
    }

    /// <summary>Applies a round. What is spoiled of all that was there before it is returned, if the source can be asked; then the round is to be applied again.</summary>
    // spec: MIG-142
    private async Task<ChunkDemand?> ApplyAsync(Manifest next, ChunkDemand demand, bool isFinal, bool mayAsk, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        try
        {
            await Task.Factory.StartNew(
                () => Apply(next, isFinal, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            FinalApply = Stopwatch.GetElapsedTime(started);
            return null;
        }
        catch (SnapshotException exception) when (mayAsk && exception.SpoiledChunk is not null)
        {
            ChunkDemand spoiled = await Task.Run(() => demand.OfSpoiled(_store), cancellationToken).ConfigureAwait(false);
            if (spoiled.Count == 0)
                throw;
            Log.ChunksSpoiled(_logger, spoiled.Count);
            return spoiled;
        }
    }

    /// <summary>Live rounds are flushed at once, so that little is left to flush while the container is frozen.</summary>
    private void Apply(Manifest next, bool isFinal, CancellationToken cancellationToken)
    {
        bool wasFlushed = _isFlushed;
        _isFlushed = false;
        ApplySummary summary = _applier.Apply(next, isFinal ? MissingContent.Refuse : MissingContent.Skip, cancellationToken);
        _isFlushed = wasFlushed && summary is { Written: 0, Deleted: 0 };
        if (!isFinal)
            Flush();
    }
}
