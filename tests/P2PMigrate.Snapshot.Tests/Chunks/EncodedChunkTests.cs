using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

public sealed class EncodedChunkTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(13)]
    [InlineData(4096)]
    [InlineData(SnapshotLimits.ChunkLength)]
    public void Any_content_comes_back(int length)
    {
        Random random = new(length);
        byte[] noise = new byte[length];
        random.NextBytes(noise);
        byte[] text = [.. Enumerable.Range(0, length).Select(index => (byte)(index % 7))];
        AssertComesBack(noise);
        AssertComesBack(text);
        AssertComesBack(new byte[length]);
    }

    // spec: SNAP-21
    [Fact]
    public void What_does_not_compress_is_stored_raw()
    {
        Assert.Equal("hello"u8, Samples.RawChunk.Payload.Span);
        Assert.True(Samples.CompressedChunk.Payload.Length < 30);
        byte[] noise = new byte[SnapshotLimits.ChunkLength];
        new Random(1).NextBytes(noise);
        Assert.Equal(EncodedChunk.MaxRecordLength, EncodedChunk.Encode(noise).RecordLength);
    }

    // spec: SNAP-22
    [Fact]
    public void Content_under_another_name_is_refused()
    {
        EncodedChunk liar = EncodedChunk.Encode(ChunkId.Of("something else"u8), "hello"u8, new byte[5]);
        Assert.False(liar.TryDecode(new byte[5], out string? reason));
        Assert.Contains("digest", reason, StringComparison.Ordinal);
    }

    // spec: SNAP-23
    [Fact]
    public void A_batch_takes_what_fits_and_can_be_filled_again()
    {
        byte[] noise = new byte[SnapshotLimits.ChunkLength];
        new Random(2).NextBytes(noise);
        EncodedChunk chunk = EncodedChunk.Encode(noise);
        ChunkBatch batch = new();
        while (batch.TryAdd(chunk))
            Assert.True(batch.Count < 100);
        Assert.Equal(SnapshotLimits.MaxBatchLength / chunk.RecordLength, batch.Count);
        Assert.True(ChunkBatch.TryParse(batch.Bytes, out IReadOnlyList<EncodedChunk>? chunks, out string? reason), reason);
        Assert.Equal(batch.Count, chunks.Count);

        batch.Clear();
        Assert.Equal(0, batch.Bytes.Length);
        Assert.True(batch.TryAdd(chunk));
        Assert.False(ChunkBatch.TryParse(new byte[SnapshotLimits.MaxBatchLength + 1], out _, out reason));
        Assert.Contains("MaxBatchLength", reason, StringComparison.Ordinal);
    }

    private static void AssertComesBack(byte[] content)
    {
        EncodedChunk sent = EncodedChunk.Encode(content);
        byte[] record = new byte[sent.RecordLength];
        sent.CopyTo(record);
        byte[] decoded = new byte[SnapshotLimits.ChunkLength];
        Assert.True(EncodedChunk.TryParse(record, out EncodedChunk received, out string? reason), reason);
        Assert.True(received.TryDecode(decoded, out reason), reason);
        Assert.Equal(content, decoded.AsSpan(0, received.Length));
    }
}
