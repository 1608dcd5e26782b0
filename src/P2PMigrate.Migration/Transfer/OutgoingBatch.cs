using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Transfer;

/// <summary>Chunks as they are going to be sent: each record with the bytes of content that it stands for.</summary>
internal sealed record OutgoingBatch(IReadOnlyList<(ReadOnlyMemory<byte> Record, long Content)> Records)
{
    /// <summary>Batches between the thread that reads and the one that sends.</summary>
    // spec: CONST-422
    public const int WaitingMax = 3;

    /// <summary>A batch that is not compressed as a whole. The caller has no more use for it.</summary>
    public static OutgoingBatch AsIs(ChunkBatch batch) => new([(batch.Bytes, batch.ContentLength)]);

    /// <summary>Compresses a batch as a whole, or where that does not help its chunks one by one.</summary>
    // spec: SNAP-114
    public static OutgoingBatch Compress(ChunkBatch batch)
    {
        byte[] record = new byte[batch.Bytes.Length];
        int length = ZstdBatch.Encode(batch, record);
        return length > 0
            ? new([(record.AsMemory(0, length), batch.ContentLength)])
            : new([.. batch.Split().Select(part => (part.Bytes, part.ContentLength))]);
    }
}
