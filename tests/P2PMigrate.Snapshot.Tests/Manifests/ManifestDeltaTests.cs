using System.Collections.Immutable;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Manifests;

public sealed class ManifestDeltaTests
{
    [Fact]
    public void A_delta_names_only_what_changed()
    {
        Assert.Equal(["new", "pipe"], Samples.Delta.Upserts.Select(entry => entry.Path.ToString()));
        Assert.Equal(["empty"], Samples.Delta.Deletions.Select(path => path.ToString()));
        Assert.True(ManifestDelta.Between(Samples.Next, Samples.Next).IsEmpty);
    }

    [Fact]
    public void What_is_written_is_read_again_and_leads_to_the_promised_tree()
    {
        Assert.True(ManifestDelta.TryParse(Samples.Delta.Serialize(), out ManifestDelta? delta, out string? reason), reason);
        Assert.True(delta.TryApply(Samples.Manifest, out Manifest? next, out reason), reason);
        Tree.AssertEqual(Samples.Next, next);
    }

    [Fact]
    public void The_first_delta_starts_from_nothing()
    {
        ManifestDelta delta = ManifestDelta.Between(Manifest.Empty, Samples.Manifest);
        Assert.True(delta.TryApply(Manifest.Empty, out Manifest? manifest, out string? reason), reason);
        Tree.AssertEqual(Samples.Manifest, manifest);
    }

    // spec: SNAP-31
    [Fact]
    public void A_delta_is_refused_by_any_tree_but_the_one_it_starts_from()
    {
        Assert.False(Samples.Delta.TryApply(Samples.Next, out _, out string? reason));
        Assert.Equal("the delta starts from another manifest", reason);
    }

    // spec: SNAP-31
    [Fact]
    public void A_delta_that_lies_about_its_result_is_refused()
    {
        AssertRefused("promised", Samples.Manifest.Digest, [.. Samples.Delta.Upserts.Skip(1)], Samples.Delta.Deletions);
        AssertRefused("not there", Samples.Next.Digest, [], [TreePath.Parse("nowhere")]);
        AssertRefused("not in a directory", Samples.Next.Digest, [], [TreePath.Parse("bin")]);
        AssertRefused("root", Samples.Next.Digest, [], [TreePath.Root]);
    }

    // spec: SNAP-30
    [Fact]
    public void Lists_out_of_order_and_paths_in_both_lists_are_refused()
    {
        Assert.False(TryCreate([.. Samples.Delta.Upserts.Reverse()], []));
        Assert.False(TryCreate([], [TreePath.Parse("b"), TreePath.Parse("a")]));
        Assert.False(TryCreate(Samples.Delta.Upserts, [TreePath.Parse("pipe")]));
    }

    private static bool TryCreate(ImmutableArray<TreeEntry> upserts, ImmutableArray<TreePath> deletions) =>
        ManifestDelta.TryCreate(default, default, upserts, deletions, out _, out _);

    private static void AssertRefused(
        string why,
        ManifestDigest result,
        ImmutableArray<TreeEntry> upserts,
        ImmutableArray<TreePath> deletions)
    {
        Assert.True(ManifestDelta.TryCreate(Samples.Manifest.Digest, result, upserts, deletions, out ManifestDelta? delta, out string? reason), reason);
        Assert.False(delta.TryApply(Samples.Manifest, out _, out reason));
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }
}
