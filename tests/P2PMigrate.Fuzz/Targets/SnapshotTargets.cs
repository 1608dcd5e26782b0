using System.Text.Json;
using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>Manifests, chunks and pages, which a peer fills as he likes. The seeds are the published vectors.</summary>
internal static class SnapshotTargets
{
    private static readonly Lazy<JsonElement> s_vectors = new(() => JsonDocument.Parse(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "snapshot.json"))).RootElement);

    private static readonly Lazy<ChunkCatalogue> s_catalogue = new(() =>
        Manifest.TryParse(Vector("manifest"), out Manifest? manifest, out _) ? ChunkCatalogue.Of(manifest) : throw new InvalidOperationException("the vector is a manifest"));

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("manifest", bytes => Manifest.TryParse(bytes, out _, out _), () => [Vector("manifest"), Vector("emptyManifest")]),
        new("manifest-delta", bytes => ManifestDelta.TryParse(bytes, out _, out _), () => [Vector("delta")]),
        new("chunk-batch", RunBatch, () => [Vector("rawChunk"), [.. Vector("compressedChunk"), .. Vector("rawChunk")]]),
        new("zstd-batch", RunZstdBatch, () => [Vector("zstdBatch")]),
        new("chunk-demand", bytes => ChunkDemand.TryParse(bytes, s_catalogue.Value, out _, out _), () => [Vector("demand")]),
        new("page-block", RunPages, () => [Vector("pageBlock"), Vector("zeroPageBlock")]),
        new("lz4-block", bytes => Lz4Block.TryDecode(bytes, new byte[8192]), () => [Vector("pageBlock")[PageBlock.HeaderSize..]]),
    ];

    private static void RunBatch(byte[] bytes)
    {
        if (ChunkBatch.TryParse(bytes, out IReadOnlyList<EncodedChunk>? chunks, out _))
            Keep(chunks);
    }

    private static void RunZstdBatch(byte[] bytes)
    {
        if (ZstdBatch.TryParse(bytes, out IReadOnlyList<EncodedChunk>? chunks, out _))
            Keep(chunks);
    }

    private static void Keep(IReadOnlyList<EncodedChunk> chunks)
    {
        var store = new MemoryChunkStore();
        foreach (EncodedChunk chunk in chunks)
            store.TryWrite(chunk, out _);
    }

    private static void RunPages(byte[] bytes)
    {
        if (PageBlock.TryReadHeader(bytes, out PageBlockHeader header, out _))
            PageBlock.TryDecode(bytes, new byte[PageBlock.MaxContentLength].AsSpan(0, header.Pages * PageRun.PageSize), out _, out _);
    }

    private static byte[] Vector(string name) => Convert.FromHexString(s_vectors.Value.GetProperty(name).GetString()!);
}
