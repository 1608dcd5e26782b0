using System.IO.Pipelines;
using System.Threading.Channels;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Sends the chunks that a target wants, read out of the live tree. One thread reads and hashes, others compress, and meanwhile what is ready is sent, in order. One call at a time.
/// </summary>
internal sealed class ChunkSender(TreeLocation root, SentChunks sent, TransferMeter meter) : IDisposable
{
    private readonly ChunkSource _source = new(root);

    /// <summary>
    /// Sends them all and the record that ends them. Returns how many were stale. <paramref name="isFrozen"/> when nothing runs meanwhile: then nothing may be stale, and the little that there is
    /// is not worth the time that <see cref="ZstdBatch"/> takes.
    /// </summary>
    public async Task<int> SendAsync(PipeWriter output, ChunkDemand demand, bool isFrozen, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<Task<OutgoingBatch>> ready = Channel.CreateBounded<Task<OutgoingBatch>>(OutgoingBatch.WaitingMax);
        bool useZstd = demand.TakesZstd && !isFrozen;
        Task<int> reading = Task.Run(() => ReadAllAsync(demand, useZstd, ready.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (Task<OutgoingBatch> batch in ready.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                await SendBatchAsync(output, await batch.ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            int stale = await reading.ConfigureAwait(false);
            if (isFrozen && stale > 0)
                throw new SnapshotException($"{stale} pieces of the root file system changed while the container was frozen; something outside the container writes there.");
            await output.WriteRecordAsync(ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
            return stale;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private async Task SendBatchAsync(PipeWriter output, OutgoingBatch batch, CancellationToken cancellationToken)
    {
        foreach ((ReadOnlyMemory<byte> record, long content) in batch.Records)
        {
            await output.WriteRecordAsync(record, length => meter.Move(0, length), cancellationToken).ConfigureAwait(false);
            meter.Move(content, 0);
        }
    }

    private async Task<int> ReadAllAsync(ChunkDemand demand, bool useZstd, ChannelWriter<Task<OutgoingBatch>> ready, CancellationToken cancellationToken)
    {
        try
        {
            int stale = 0;
            ChunkBatch batch = NewBatch(useZstd);
            _source.Close(); // A file that was replaced since the last round has another inode.
            foreach (ChunkLocation location in demand.Wanted)
            {
                if (!(useZstd ? _source.TryReadRaw(location, out EncodedChunk chunk) : _source.TryRead(location, out chunk)))
                {
                    stale++;
                    continue;
                }

                if (!batch.TryAdd(chunk))
                {
                    await ready.WriteAsync(PackAsync(batch, useZstd), cancellationToken).ConfigureAwait(false);
                    batch = NewBatch(useZstd);
                    batch.TryAdd(chunk);
                }

                sent.Keep(chunk);
            }

            if (batch.Count > 0)
                await ready.WriteAsync(PackAsync(batch, useZstd), cancellationToken).ConfigureAwait(false);
            return stale;
        }
        finally
        {
            ready.Complete();
        }
    }

    private static ChunkBatch NewBatch(bool useZstd) => useZstd ? ChunkBatch.ForZstd() : new ChunkBatch();

    private static Task<OutgoingBatch> PackAsync(ChunkBatch batch, bool useZstd) =>
        useZstd ? Task.Run(() => OutgoingBatch.Compress(batch)) : Task.FromResult(OutgoingBatch.AsIs(batch));
}
