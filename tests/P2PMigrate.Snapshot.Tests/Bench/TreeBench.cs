using System.Diagnostics;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Bench;

/// <summary>
/// What the parts cost on this machine; prints, asserts nothing. Run with
/// <c>P2PMigrate.Snapshot.Tests --explicit only --show-live-output on</c>, best as a Release build.
/// </summary>
public sealed class TreeBench(ITestOutputHelper output) : IDisposable
{
    private const int Directories = 1000;
    private const int FilesPerDirectory = 100;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact(Explicit = true)]
    public void A_hundred_thousand_files_of_a_gigabyte()
    {
        string source = _directory.Make("source");
        string target = _directory.Make("target");
        MakeTree(source);
        TestDirectory.Sh(source, "sync -f .; sleep 3");

        using TreeScanner scanner = new(source);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        TreeScan scan = Timed("first scan (cold metadata cache aside)", () => scanner.Scan(ScanMode.Frozen));
        output.WriteLine($"  {scan.Manifest.Entries.Length} entries, {scan.BytesRead >> 20} MiB read, scanner and manifest hold {(GC.GetTotalMemory(true) - before) >> 20} MiB");
        scan = Timed("second scan", () => scanner.Scan(ScanMode.Frozen));
        output.WriteLine($"  {scan.FilesRead} files read");
        Timed("live scan (syncfs)", () => scanner.Scan(ScanMode.Live));

        Manifest manifest = scan.Manifest;
        Timed("digest", () => manifest.Digest);
        byte[] bytes = Timed("serialise manifest", manifest.Serialize);
        output.WriteLine($"  {bytes.Length >> 10} KiB");
        Timed("parse manifest", () => Manifest.TryParse(bytes, out _, out _));

        string packs = _directory.Make("store");
        DirectoryChunkStore store = new(packs);
        ChunkCatalogue catalogue = Timed("catalogue", () => ChunkCatalogue.Of(manifest));
        long sent = Timed("read, encode, decode, store all chunks", () => Tree.Transfer(source, catalogue, store));
        output.WriteLine($"  {catalogue.Chunks.Length} chunks, {sent >> 20} MiB on the wire");
        store.Dispose();
        store = Timed("open store again", () => new DirectoryChunkStore(packs));

        using TreeApplier applier = new(target, store);
        Timed("apply all", () => applier.Apply(manifest));
        TestDirectory.Sh(source, "for i in $(seq 0 99); do printf x >> d$i/f7; done");
        Manifest next = Timed("scan after 100 files changed", () => scanner.Scan(ScanMode.Frozen)).Manifest;
        ManifestDelta delta = Timed("delta", () => ManifestDelta.Between(manifest, next));
        Timed("apply delta to manifest", () => delta.TryApply(manifest, out _, out _));
        Tree.Transfer(source, ChunkCatalogue.Of(delta), store);
        Timed("apply 100 changed files", () => applier.Apply(next));
        output.WriteLine($"peak working set {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
        Tree.AssertEqual(next, Tree.Scan(target));
        store.Dispose();
    }

    [Fact(Explicit = true)]
    public void Page_blocks()
    {
        byte[] pages = new byte[PageBlock.MaxContentLength];
        Random random = new(1);
        for (int index = 0; index < pages.Length; index++)
            pages[index] = (index / PageRun.PageSize % 4) switch { 0 => 0, 1 => (byte)random.Next(256), _ => (byte)(index / 5 % 50) };
        byte[] block = new byte[PageBlock.MaxLength];
        byte[] decoded = new byte[PageBlock.MaxContentLength];
        const int Rounds = 4000; // 1 GB
        foreach (bool compress in (bool[])[true, false])
        {
            int length = 0;
            Timed($"encode 1 GB of pages, compress {compress}", () =>
            {
                for (int round = 0; round < Rounds; round++)
                    length = PageBlock.Encode(pages, block, compress);
                return length;
            });
            Timed("decode it", () =>
            {
                for (int round = 0; round < Rounds; round++)
                    Assert.True(PageBlock.TryDecode(block, decoded, out _, out _));
                return 0;
            });
            output.WriteLine($"  {100.0 * length / pages.Length:F0} % of the size");
        }
    }

    private static void MakeTree(string root)
    {
        Random random = new(1);
        byte[] content = new byte[20_000];
        for (int directory = 0; directory < Directories; directory++)
        {
            string path = Directory.CreateDirectory(Path.Combine(root, $"d{directory}")).FullName;
            for (int file = 0; file < FilesPerDirectory; file++)
            {
                random.NextBytes(content.AsSpan(0, 10_000)); // half of it compresses
                File.WriteAllBytes(Path.Combine(path, $"f{file}"), content.AsSpan(0, random.Next(content.Length)));
            }
        }
    }

    private T Timed<T>(string what, Func<T> action)
    {
        long started = Stopwatch.GetTimestamp();
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        T result = action();
        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms, {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds:F0} ms CPU");
        return result;
    }
}
