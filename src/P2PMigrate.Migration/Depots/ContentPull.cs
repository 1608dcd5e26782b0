using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Depots;

/// <summary>Takes content out of a depot into a store, as far as it is not there yet. Does not own the store.</summary>
// spec: DEP-12
internal sealed class ContentPull(Depot depot, IChunkStore store, TransferMeter meter)
{
    /// <summary>Packs in the depot.</summary>
    public int Packs { get; private set; }

    /// <summary>Bytes of chunks that were taken.</summary>
    public long PulledBytes { get; private set; }

    /// <summary>Every chunk that the depot's indexes name is in the store when this returns.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (string pack in await depot.ListPacksAsync(cancellationToken).ConfigureAwait(false))
        {
            Packs++;
            if (await HasAllAsync(pack, cancellationToken).ConfigureAwait(false))
                continue;
            foreach (EncodedChunk chunk in await depot.ReadPackAsync(pack, cancellationToken).ConfigureAwait(false))
                Take(chunk, pack);
            if (!await HasAllAsync(pack, cancellationToken).ConfigureAwait(false))
                throw Depot.Damaged($"{depot.Place}: the pack {pack}", "lacks content that its index names");
        }
    }

    /// <summary>Is all content of <paramref name="packs"/> in the store?</summary>
    public async Task<bool> HasAllAsync(IReadOnlyList<string> packs, CancellationToken cancellationToken)
    {
        foreach (string pack in packs)
        {
            if (!await HasAllAsync(pack, cancellationToken).ConfigureAwait(false))
                return false;
        }

        return true;
    }

    private async Task<bool> HasAllAsync(string pack, CancellationToken cancellationToken) =>
        (await depot.ReadIndexAsync(pack, cancellationToken).ConfigureAwait(false)).All(id => store.Contains(id));

    private void Take(in EncodedChunk chunk, string pack)
    {
        if (store.Contains(chunk.Id))
            return;
        if (!store.TryWrite(chunk, out string? reason))
            throw Depot.Damaged($"{depot.Place}: the pack {pack}", $"is damaged: {reason}");
        PulledBytes += chunk.Length;
        meter.Move(chunk.Length, chunk.RecordLength);
    }
}
