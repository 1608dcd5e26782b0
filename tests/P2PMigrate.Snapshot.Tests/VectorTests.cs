using System.Text.Json;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests;

/// <summary>
/// <c>protocol-spec/vectors/snapshot.json</c>: what the bytes are. An LZ4 block has many encodings, so compressed vectors
/// are decoded only; all else must be written exactly so.
/// </summary>
public sealed class VectorTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, string> s_vectors = JsonSerializer.Deserialize<Dictionary<string, string>>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "snapshot.json")))!;

    [Fact]
    public void Manifest()
    {
        Assert.Equal(s_vectors["manifest"], Hex(Samples.Manifest.Serialize()));
        Assert.Equal(s_vectors["manifestDigest"], Samples.Manifest.Digest.ToString());
        Assert.Equal(s_vectors["emptyManifest"], Hex(Snapshot.Manifests.Manifest.Empty.Serialize()));
        Assert.Equal(s_vectors["emptyManifestDigest"], Snapshot.Manifests.Manifest.Empty.Digest.ToString());
    }

    [Fact]
    public void Delta()
    {
        Assert.Equal(s_vectors["delta"], Hex(Samples.Delta.Serialize()));
        Assert.Equal(s_vectors["nextManifestDigest"], Samples.Next.Digest.ToString());
    }

    [Fact]
    public void Demand()
    {
        MemoryChunkStore store = new();
        Assert.True(store.TryWrite(Samples.RawChunk, out _));
        Assert.Equal(s_vectors["demand"], Hex(ChunkDemand.Of(ChunkCatalogue.Of(Samples.Manifest), store).Serialize()));
    }

    [Fact]
    public void Chunks()
    {
        Assert.Equal(s_vectors["rawChunk"], Hex(Record(Samples.RawChunk)));
        Assert.True(EncodedChunk.TryParse(Vector("compressedChunk"), out EncodedChunk chunk, out string? reason), reason);
        byte[] content = new byte[SnapshotLimits.ChunkLength];
        Assert.True(chunk.TryDecode(content, out reason), reason);
        Assert.Equal(Enumerable.Repeat((byte)'a', 1000), content.Take(chunk.Length));
    }

    /// <summary>Made with the program <c>zstd</c>, of the two chunks of the other vectors.</summary>
    [Fact]
    public void Zstd_batch()
    {
        Assert.True(ZstdBatch.TryParse(Vector("zstdBatch"), out IReadOnlyList<EncodedChunk>? chunks, out string? reason), reason);
        Assert.Equal([Samples.RawChunk.Id, Samples.CompressedChunk.Id], chunks.Select(chunk => chunk.Id));
        Assert.All(chunks, chunk => Assert.True(chunk.TryDecode(new byte[SnapshotLimits.ChunkLength], out string? reason), reason));
    }

    [Fact]
    public void Page_blocks()
    {
        byte[] block = new byte[PageBlock.MaxLength];
        Assert.Equal(s_vectors["zeroPageBlock"], Hex(block.AsSpan(0, PageBlock.Encode(new byte[2 * PageRun.PageSize], block))));
        byte[] pages = new byte[PageBlock.MaxContentLength];
        Assert.True(PageBlock.TryDecode(Vector("pageBlock"), pages, out PageBlockHeader header, out string? reason), reason);
        Assert.Equal(Samples.Pages, pages.AsSpan(0, header.ContentLength));
    }

    /// <summary>Prints the file anew, after the format was changed on purpose: <c>--explicit only --show-live-output on</c>.</summary>
    [Fact(Explicit = true)]
    public void Print_vectors()
    {
        MemoryChunkStore store = new();
        Assert.True(store.TryWrite(Samples.RawChunk, out _));
        byte[] block = new byte[PageBlock.MaxLength];
        Dictionary<string, string> vectors = new()
        {
            ["rawChunk"] = Hex(Record(Samples.RawChunk)),
            ["compressedChunk"] = Hex(Record(Samples.CompressedChunk)),
            ["zstdBatch"] = s_vectors["zstdBatch"], // another program's
            ["emptyManifest"] = Hex(Snapshot.Manifests.Manifest.Empty.Serialize()),
            ["emptyManifestDigest"] = Snapshot.Manifests.Manifest.Empty.Digest.ToString(),
            ["manifest"] = Hex(Samples.Manifest.Serialize()),
            ["manifestDigest"] = Samples.Manifest.Digest.ToString(),
            ["delta"] = Hex(Samples.Delta.Serialize()),
            ["nextManifestDigest"] = Samples.Next.Digest.ToString(),
            ["demand"] = Hex(ChunkDemand.Of(ChunkCatalogue.Of(Samples.Manifest), store).Serialize()),
            ["zeroPageBlock"] = Hex(block.AsSpan(0, PageBlock.Encode(new byte[2 * PageRun.PageSize], block))),
            ["pageBlock"] = Hex(block.AsSpan(0, PageBlock.Encode(Samples.Pages, block))),
        };
        output.WriteLine(string.Join(",\n", vectors.Select(vector => $"  \"{vector.Key}\": \"{vector.Value}\"")));
    }

    private static byte[] Vector(string name) => Convert.FromHexString(s_vectors[name]);

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    private static byte[] Record(EncodedChunk chunk)
    {
        byte[] record = new byte[chunk.RecordLength];
        chunk.CopyTo(record);
        return record;
    }
}
