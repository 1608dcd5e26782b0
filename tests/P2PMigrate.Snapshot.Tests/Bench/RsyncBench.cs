using System.Diagnostics;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Bench;

/// <summary>
/// The pass under freeze over a large tree of which little has changed, beside the comparison that rsync makes of the same trees; prints,
/// asserts nothing. Run with <c>P2PMigrate.Snapshot.Tests --explicit only --filter-class '*RsyncBench' --show-live-output on</c>, as a
/// Release build, with rsync installed.
/// </summary>
public sealed class RsyncBench(ITestOutputHelper output) : IDisposable
{
    private const int Directories = 1000;
    private const int FilesPerDirectory = 100;
    private const int Changed = 20;
    private const int Rounds = 5;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact(Explicit = true)]
    public void A_hundred_thousand_files_of_which_twenty_changed()
    {
        string source = _directory.Make("source"), target = _directory.Make("target");
        MakeTree(source);
        TestDirectory.Sh(_directory.Path, "cp -a source/. target/; sync -f .; sleep 3");
        using TreeScanner scanner = new(source);
        using ChunkSource content = new(source);
        Manifest known = scanner.Scan(ScanMode.Live).Manifest;
        List<double> ratios = [];
        for (int round = 0; round < Rounds; round++)
        {
            TestDirectory.Sh(source, $"for i in $(seq {Changed}); do printf {round} >> d$((i * 37))/f$i; done");
            double rsync = Milliseconds(() => TestDirectory.Sh(_directory.Path, "rsync -aHAX --delete --dry-run source/ target/"));
            Manifest next = known;
            double scan = Milliseconds(() => next = scanner.Scan(ScanMode.Frozen).Manifest);
            ManifestDelta? delta = null;
            double rest = Milliseconds(() => delta = ManifestDelta.Between(known, next));
            int read = 0;
            rest += Milliseconds(() => read = ChunkCatalogue.Of(delta!).Chunks.Count(chunk => content.TryRead(chunk, out _)));
            rest += Milliseconds(() => delta!.Serialize());
            ratios.Add((scan + rest) / rsync);
            output.WriteLine($"rsync {rsync:0} ms, pass {scan + rest:0} ms (scan {scan:0} ms, {delta!.Upserts.Length} entries, {read} chunks), ratio {ratios[^1]:0.000}");
            known = next;
        }

        output.WriteLine($"median ratio {ratios.Order().ElementAt(Rounds / 2):0.000}");
    }

    private static void MakeTree(string root)
    {
        var random = new Random(1);
        byte[] content = new byte[2000];
        for (int directory = 0; directory < Directories; directory++)
        {
            string path = Directory.CreateDirectory(Path.Combine(root, $"d{directory}")).FullName;
            for (int file = 0; file < FilesPerDirectory; file++)
            {
                random.NextBytes(content);
                File.WriteAllBytes(Path.Combine(path, $"f{file}"), content.AsSpan(0, random.Next(content.Length)));
            }
        }
    }

    private static double Milliseconds(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }
}
