using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.TreeBench;

/// <summary>
/// What the source does under the freeze when twenty of a hundred thousand files have changed (scan, delta, the changed content), beside the comparison that rsync makes of the same
/// trees, round by round.
/// </summary>
internal static class RsyncComparison
{
    private const int Changed = 20;
    private const int Rounds = 5;
    private const int LongestFile = 2000;

    public static void Run(BenchTree ground)
    {
        ground.Make(LongestFile);
        ground.Copy();
        using TreeScanner scanner = new(ground.Source);
        using ChunkSource content = new(ground.Source);
        Manifest known = scanner.Scan(ScanMode.Live).Manifest;
        List<double> ratios = [];
        for (int round = 0; round < Rounds; round++)
        {
            ground.Change(Changed);
            Timing rsync = Timing.Of(() => ground.Shell("rsync -aHAX --delete --dry-run source/ target/"));
            Manifest next = known;
            Timing scan = Timing.Of(() => next = scanner.Scan(ScanMode.Frozen).Manifest);
            Timing rest = Timing.Of(() => SendChanges(ManifestDelta.Between(known, next), content));
            known = next;
            ratios.Add((scan + rest).Wall / rsync.Wall);
            Console.WriteLine($"rsync {rsync.Wall:0} ms; scan {scan}; delta and content {rest}; {ratios[^1]:0.000} of rsync's time");
        }

        Console.WriteLine($"median {ratios.Order().ElementAt(Rounds / 2):0.000}");
    }

    private static void SendChanges(ManifestDelta delta, ChunkSource content)
    {
        delta.Serialize();
        if (ChunkCatalogue.Of(delta).Chunks.Count(chunk => content.TryRead(chunk, out _)) < Changed)
            throw new InvalidOperationException("Not all that changed was found.");
    }
}
