using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests;

/// <summary>Every parser of a peer's bytes, cut at each length and garbled.</summary>
[Trait("Spec", "SNAP-01")]
public sealed class ParserTests
{
    private static readonly ChunkCatalogue s_catalogue = ChunkCatalogue.Of(Samples.Manifest);

    [Fact]
    public void Manifest() => Check(
        Samples.Manifest.Serialize(),
        (ReadOnlyMemory<byte> bytes, out string? reason) => Snapshot.Manifests.Manifest.TryParse(bytes, out _, out reason),
        mayBeWhole: EndsAnEntry(Samples.Manifest.Serialize()));

    [Fact]
    public void Delta() => Check(
        Samples.Delta.Serialize(),
        (ReadOnlyMemory<byte> bytes, out string? reason) => ManifestDelta.TryParse(bytes, out _, out reason),
        mayBeWhole: EndsADeltaField);

    [Fact]
    public void Delta_applied() => Hostile.Garble(
        Samples.Delta.Serialize(),
        (ReadOnlyMemory<byte> bytes, out string? reason) =>
            ManifestDelta.TryParse(bytes, out ManifestDelta? delta, out reason) && delta.TryApply(Samples.Manifest, out _, out reason));

    [Fact]
    public void Chunk() => Check(Record(Samples.RawChunk), Decode);

    [Fact]
    public void Compressed_chunk() => Check(Record(Samples.CompressedChunk), Decode);

    [Fact]
    public void Batch()
    {
        ChunkBatch batch = new();
        Assert.True(batch.TryAdd(Samples.RawChunk) && batch.TryAdd(Samples.CompressedChunk));
        Check(
            batch.Bytes.ToArray(),
            (ReadOnlyMemory<byte> bytes, out string? reason) => ChunkBatch.TryParse(bytes, out _, out reason),
            mayBeWhole: length => length == 0 || length == Samples.RawChunk.RecordLength);
    }

    [Fact]
    public void Zstd_batch()
    {
        ChunkBatch batch = ChunkBatch.ForZstd();
        byte[] text = [.. Enumerable.Repeat((byte)'a', 1000)];
        Assert.True(batch.TryAdd(EncodedChunk.Raw(ChunkId.Of(text), text)) && batch.TryAdd(Samples.RawChunk));
        byte[] message = new byte[batch.Bytes.Length];
        Check(
            message[..ZstdBatch.Encode(batch, message)],
            (ReadOnlyMemory<byte> bytes, out string? reason) => ZstdBatch.TryParse(bytes.Span, out _, out reason));
    }

    [Fact]
    public void Demand() => Check(
        ChunkDemand.Of(s_catalogue, new MemoryChunkStore()).Serialize(),
        (ReadOnlyMemory<byte> bytes, out string? reason) => ChunkDemand.TryParse(bytes.Span, s_catalogue, out _, out reason));

    [Fact]
    public void Page_block()
    {
        byte[] block = new byte[PageBlock.MaxLength];
        int length = PageBlock.Encode(Samples.Pages, block);
        Check(block[..length], Decode);

        static bool Decode(ReadOnlyMemory<byte> bytes, out string? reason) =>
            PageBlock.TryDecode(bytes.Span, new byte[PageBlock.MaxContentLength], out _, out reason);
    }

    private static void Check(byte[] good, Parser parser, Func<int, bool>? mayBeWhole = null)
    {
        Hostile.CutAtEachLength(good, parser, mayBeWhole);
        Hostile.Garble(good, parser);
    }

    private static bool Decode(ReadOnlyMemory<byte> bytes, out string? reason) =>
        EncodedChunk.TryParse(bytes, out EncodedChunk chunk, out reason) && chunk.TryDecode(new byte[SnapshotLimits.ChunkLength], out reason);

    private static byte[] Record(EncodedChunk chunk)
    {
        byte[] record = new byte[chunk.RecordLength];
        chunk.CopyTo(record);
        return record;
    }

    /// <summary>A manifest cut between two entries is a smaller manifest; its digest is what tells.</summary>
    private static Func<int, bool> EndsAnEntry(byte[] bytes) =>
        length => Snapshot.Manifests.Manifest.TryParse(bytes.AsMemory(0, length), out Manifest? manifest, out _)
            && manifest.Digest != Samples.Manifest.Digest;

    private static bool EndsADeltaField(int length) =>
        ManifestDelta.TryParse(Samples.Delta.Serialize().AsMemory(0, length), out ManifestDelta? delta, out _)
            && !delta.TryApply(Samples.Manifest, out _, out _);
}
