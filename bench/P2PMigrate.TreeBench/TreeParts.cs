using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.TreeBench;

/// <summary>What each part costs of carrying a tree of a gigabyte over, and then a change of a hundred files.</summary>
internal static class TreeParts
{
    private const int Changed = 100;
    private const int LongestFile = 20_000;

    public static void Run(BenchTree ground)
    {
        ground.Make(LongestFile);
        using TreeScanner scanner = new(ground.Source);
        using DirectoryChunkStore store = new(ground.Store);
        using TreeApplier applier = new(ground.Target, store);

        Manifest first = Scan(scanner, ScanMode.Frozen, "first scan");
        Scan(scanner, ScanMode.Frozen, "second scan");
        Scan(scanner, ScanMode.Live, "live scan (syncfs)");
        Show("digest", () => _ = first.Digest);
        byte[] bytes = [];
        Show("serialise manifest", () => bytes = first.Serialize());
        Show("parse manifest", () => _ = Manifest.TryParse(bytes, out _, out _));
        Send(ground, ChunkCatalogue.Of(first), store);
        Show("apply all", () => applier.Apply(first));

        ground.Change(Changed);
        Manifest next = Scan(scanner, ScanMode.Frozen, $"scan after {Changed} files changed");
        ManifestDelta? delta = null;
        Show("delta", () => delta = ManifestDelta.Between(first, next));
        Show("apply delta to manifest", () => _ = delta!.TryApply(first, out _, out _));
        Send(ground, ChunkCatalogue.Of(delta!), store);
        Show($"apply {Changed} changed files", () => applier.Apply(next));
    }

    private static Manifest Scan(TreeScanner scanner, ScanMode mode, string what)
    {
        TreeScan? scan = null;
        Show(what, () => scan = scanner.Scan(mode));
        Console.WriteLine($"  {scan!.Manifest.Entries.Length} entries, {scan.FilesRead} files and {scan.BytesRead >> 20} MiB read");
        return scan.Manifest;
    }

    private static void Send(BenchTree ground, ChunkCatalogue catalogue, DirectoryChunkStore store)
    {
        using ChunkSource source = new(ground.Source);
        ChunkBatch batch = new();
        long sent = 0;
        Show("read, encode, decode, store", () =>
        {
            foreach (ChunkLocation location in ChunkDemand.Of(catalogue, store).Wanted)
            {
                if (!source.TryRead(location, out EncodedChunk chunk))
                    throw new InvalidOperationException($"{location.Path} changed.");
                if (batch.TryAdd(chunk))
                    continue;
                sent += Deliver(batch, store);
                batch.TryAdd(chunk);
            }

            sent += Deliver(batch, store);
        });
        Console.WriteLine($"  {catalogue.Chunks.Length} chunks, {sent >> 20} MiB on the wire");
    }

    private static long Deliver(ChunkBatch batch, DirectoryChunkStore store)
    {
        long length = batch.Bytes.Length;
        if (!ChunkBatch.TryParse(batch.Bytes.ToArray(), out IReadOnlyList<EncodedChunk>? chunks, out string? reason))
            throw new InvalidOperationException(reason);
        foreach (EncodedChunk chunk in chunks)
        {
            if (!store.TryWrite(chunk, out reason))
                throw new InvalidOperationException(reason);
        }

        batch.Clear();
        return length;
    }

    private static void Show(string what, Action action) => Console.WriteLine($"{what,-32} {Timing.Of(action)}");
}
