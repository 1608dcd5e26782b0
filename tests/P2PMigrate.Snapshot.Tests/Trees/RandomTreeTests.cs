using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

/// <summary>Trees from a seed. To replay one: <c>P2PMIGRATE_SEED=n</c> and this class.</summary>
public sealed class RandomTreeTests
{
    private const int Trees = 6;
    private const int Entries = 60;

    public static TheoryData<int> Seeds =>
        Environment.GetEnvironmentVariable("P2PMIGRATE_SEED") is { } seed
            ? [int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture)]
            : [.. Enumerable.Range(0, Trees).Select(_ => Random.Shared.Next())];

    // spec: SNAP-90, SNAP-93, SNAP-94, SNAP-95
    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_is_applied_is_what_a_scan_finds(int seed)
    {
        Powers.NeedRoot();
        using TestDirectory directory = new();
        MemoryChunkStore store = new();
        RandomTree random = new(seed, store);
        Manifest last = random.Make(Entries);

        using TreeApplier applier = new(directory.Path, store);
        applier.Apply(last, cancellationToken: TestContext.Current.CancellationToken);
        Tree.AssertEqual(last, Tree.Scan(directory.Path));

        for (int round = 0; round < 5; round++)
        {
            Manifest next = Carried(last, random.Change(last));
            applier.Apply(next, cancellationToken: TestContext.Current.CancellationToken);
            Tree.AssertEqual(next, Tree.Scan(directory.Path));
            last = next;
        }
    }

    // spec: SNAP-90
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_a_crash_left_behind_becomes_what_is_wanted(int seed)
    {
        Powers.NeedRoot();
        using TestDirectory directory = new();
        MemoryChunkStore store = new();
        RandomTree random = new(seed, store);
        Manifest wanted = random.Make(Entries);

        // Any tree is what some crash may have left: a mixture of the wanted one with others, and names that nobody asked for.
        Tree.Apply(directory.Path, random.Change(random.Change(wanted)), store);
        File.WriteAllText(Path.Combine(directory.Path, ".p2pmigrate-0123456789abcdef"), "half a file");
        Tree.Apply(directory.Path, wanted, store);
        Tree.AssertEqual(wanted, Tree.Scan(directory.Path));
    }

    // spec: SNAP-93
    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_call_that_fails_at_any_chunk_is_made_good_by_the_next(int seed)
    {
        Powers.NeedRoot();
        using TestDirectory directory = new();
        MemoryChunkStore store = new();
        RandomTree random = new(seed, store);
        Manifest before = random.Make(Entries / 2);
        Manifest after = random.Change(before);

        for (int chunks = 0; ; chunks++)
        {
            Tree.Apply(directory.Path, before, store);
            FailingChunkStore failing = new(store, chunks);
            using TreeApplier applier = new(directory.Path, failing);
            if (Record.Exception(() => applier.Apply(after, cancellationToken: TestContext.Current.CancellationToken)) is null)
                break;

            failing.Mend();
            applier.Apply(after, cancellationToken: TestContext.Current.CancellationToken);
            Tree.AssertEqual(after, Tree.Scan(directory.Path));
        }

        Tree.AssertEqual(after, Tree.Scan(directory.Path));
    }

    /// <summary>The next manifest as the target gets it: as the bytes of a delta.</summary>
    private static Manifest Carried(Manifest last, Manifest next)
    {
        byte[] bytes = ManifestDelta.Between(last, next).Serialize();
        Assert.True(ManifestDelta.TryParse(bytes, out ManifestDelta? delta, out string? reason), reason);
        Assert.True(delta.TryApply(last, out Manifest? result, out reason), reason);
        return result;
    }
}
