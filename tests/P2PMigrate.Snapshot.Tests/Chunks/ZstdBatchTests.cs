using System.Buffers.Binary;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;
using ZstdSharp;

namespace P2PMigrate.Snapshot.Tests.Chunks;

public sealed class ZstdBatchTests
{
    private const int HeaderSize = 8;

    [Fact]
    [Trait("Spec", "SNAP-110")]
    public void A_batch_comes_back_with_all_chunks_in_their_order()
    {
        ChunkBatch batch = BatchOf(Text(1), Text(131_072), Text(5000));

        byte[] message = Encode(batch);

        Assert.True(ZstdBatch.IsOne(message));
        Assert.False(ZstdBatch.IsOne(batch.Bytes.Span));
        Assert.InRange(message.Length, 1, batch.Bytes.Length / 10);
        IReadOnlyList<EncodedChunk> chunks = Parse(message);
        Assert.Equal([1, 131_072, 5000], chunks.Select(chunk => chunk.Length));
        Assert.All(chunks, AssertSound);
        Assert.Equal(1 + 131_072 + 5000, batch.ContentLength);
    }

    [Fact]
    [Trait("Spec", "SNAP-110")]
    public void What_a_chunk_has_in_common_with_its_neighbour_is_said_once()
    {
        byte[] noise = Noise(100_000);
        byte[] sibling = [.. noise];
        sibling[50_000] ^= 1;

        Assert.InRange(Encode(BatchOf(noise, sibling)).Length, 100_000, 101_000);
    }

    [Fact]
    [Trait("Spec", "SNAP-114")]
    public void What_does_not_become_shorter_is_sent_chunk_by_chunk()
    {
        ChunkBatch batch = ChunkBatch.ForZstd();
        for (int chunk = 0; batch.TryAdd(Raw(Noise(SnapshotLimits.ChunkLength, chunk))); chunk++)
        {
        }

        Assert.Equal(0, ZstdBatch.Encode(batch, new byte[batch.Bytes.Length]));

        List<EncodedChunk> chunks = [];
        foreach (ChunkBatch part in batch.Split())
        {
            Assert.True(ChunkBatch.TryParse(part.Bytes, out IReadOnlyList<EncodedChunk>? parsed, out string? reason), reason);
            chunks.AddRange(parsed);
        }

        Assert.Equal(batch.Count, chunks.Count);
        Assert.All(chunks, AssertSound);
    }

    [Fact]
    [Trait("Spec", "SNAP-114")]
    public void Parts_of_a_batch_are_compressed_where_that_helps()
    {
        ChunkBatch part = Assert.Single(BatchOf(Text(100_000), Noise(1000)).Split());
        Assert.InRange(part.Bytes.Length, 1000, 3000);
        Assert.Equal(101_000, part.ContentLength);
    }

    [Fact]
    [Trait("Spec", "SNAP-111")]
    public void A_length_out_of_bounds_is_refused_before_anything_is_decompressed()
    {
        byte[] bomb = Frame(new byte[64 << 20], ZstdBatch.MaxContentLength + 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        AssertRefused(bomb, "out of bounds");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);

        AssertRefused(Frame(new byte[1000], 0), "out of bounds");
        AssertRefused(Frame(new byte[1000], uint.MaxValue), "out of bounds");
        AssertRefused(Frame(Noise(1000), 1000), "out of bounds"); // no shorter than its records
        AssertRefused([.. BatchOf(Text(100)).Bytes.Span], "out of bounds");
    }

    [Fact]
    [Trait("Spec", "SNAP-111")]
    public void A_frame_that_holds_more_or_less_than_it_says_is_refused()
    {
        AssertRefused(Frame(new byte[64 << 20], ZstdBatch.MaxContentLength), "no zstd frame");
        AssertRefused(Frame(new byte[1001], 1000), "no zstd frame");
        AssertRefused(Frame(new byte[999], 1000), "no zstd frame");
        byte[] twice = [.. Frame(new byte[500], 1000), .. Frame(new byte[501], 1000).AsSpan(HeaderSize)];
        AssertRefused(twice, "no zstd frame");
    }

    [Fact]
    [Trait("Spec", "SNAP-112")]
    public void Records_in_a_batch_are_whole_and_not_compressed_themselves()
    {
        byte[] compressed = new byte[Samples.CompressedChunk.RecordLength];
        Samples.CompressedChunk.CopyTo(compressed);
        AssertRefused(Frame(compressed, (uint)compressed.Length, padding: 200), "compressed once more");
        AssertRefused(Frame(BatchOf(Text(1000)).Bytes.Span[..^1].ToArray(), (uint)BatchOf(Text(1000)).Bytes.Length - 1), "cut short");
    }

    [Fact]
    [Trait("Spec", "SNAP-113")]
    public void A_target_says_that_it_takes_them_and_an_old_one_says_nothing()
    {
        ChunkCatalogue catalogue = ChunkCatalogue.Of(Samples.Manifest);
        MemoryChunkStore store = new();
        Assert.True(Travel(ChunkDemand.Of(catalogue, store, takesZstd: true)).TakesZstd);
        Assert.True(Travel(ChunkDemand.Of(catalogue, store, takesZstd: true).OfSpoiled(store)).TakesZstd);
        Assert.False(Travel(ChunkDemand.Of(catalogue, store)).TakesZstd);

        ChunkDemand Travel(ChunkDemand demand)
        {
            Assert.True(ChunkDemand.TryParse(demand.Serialize(), catalogue, out ChunkDemand? arrived, out string? reason), reason);
            return arrived;
        }
    }

    private static EncodedChunk Raw(byte[] content) => EncodedChunk.Raw(ChunkId.Of(content), content);

    private static ChunkBatch BatchOf(params byte[][] contents)
    {
        ChunkBatch batch = ChunkBatch.ForZstd();
        Assert.All(contents, content => Assert.True(batch.TryAdd(Raw(content))));
        return batch;
    }

    private static byte[] Encode(ChunkBatch batch)
    {
        byte[] message = new byte[batch.Bytes.Length];
        int length = ZstdBatch.Encode(batch, message);
        Assert.True(length > 0);
        return message[..length];
    }

    private static IReadOnlyList<EncodedChunk> Parse(byte[] message)
    {
        Assert.True(ZstdBatch.TryParse(message, out IReadOnlyList<EncodedChunk>? chunks, out string? reason), reason);
        return chunks;
    }

    /// <summary>What a peer could send: a frame of <paramref name="records"/> that claims to hold <paramref name="claim"/> bytes.</summary>
    private static byte[] Frame(byte[] records, uint claim, int padding = 0)
    {
        if (padding > 0) // another record, so that the frame is shorter than what it holds
        {
            byte[] text = [.. BatchOf(Text(padding)).Bytes.Span];
            (records, claim) = ([.. records, .. text], claim + (uint)text.Length);
        }

        using Compressor compressor = new(3);
        byte[] message = [.. new byte[HeaderSize], .. compressor.Wrap(records)];
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4), claim);
        return message;
    }

    private static void AssertRefused(byte[] message, string expected)
    {
        Assert.False(ZstdBatch.TryParse(message, out IReadOnlyList<EncodedChunk>? chunks, out string? reason));
        Assert.Null(chunks);
        Assert.Contains(expected, reason, StringComparison.Ordinal);
    }

    private static void AssertSound(EncodedChunk chunk) =>
        Assert.True(chunk.TryDecode(new byte[SnapshotLimits.ChunkLength], out string? reason), reason);

    private static byte[] Text(int length) => [.. Enumerable.Range(0, length).Select(index => (byte)('a' + (index % 7)))];

    private static byte[] Noise(int length, int seed = 1)
    {
        byte[] noise = new byte[length];
        new Random(seed).NextBytes(noise);
        return noise;
    }
}
