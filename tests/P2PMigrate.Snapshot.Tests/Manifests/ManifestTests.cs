using System.Collections.Immutable;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Manifests;

public sealed class ManifestTests
{
    private static readonly DirectoryEntry s_root = new(TreePath.Root, Samples.Plain);

    [Fact]
    public void What_is_written_is_read_again()
    {
        byte[] bytes = Samples.Manifest.Serialize();
        Assert.True(Manifest.TryParse(bytes, out Manifest? read, out string? reason), reason);
        Assert.Equal(Samples.Manifest.Entries.AsSpan(), read.Entries.AsSpan());
        Assert.Equal(Samples.Manifest.Digest, read.Digest);
        Assert.Equal(bytes, read.Serialize());
    }

    // spec: SNAP-12
    [Fact]
    public void The_digest_changes_with_anything_that_the_target_must_reproduce()
    {
        HashSet<ManifestDigest> digests = [Samples.Manifest.Digest, Manifest.Empty.Digest];
        foreach (TreeEntry entry in Samples.Manifest.Entries.Where(entry => entry is InodeEntry))
        {
            InodeEntry inode = (InodeEntry)entry;
            InodeAttributes was = inode.Attributes;
            Assert.True(digests.Add(With(inode with { Attributes = was with { Mode = was.Mode ^ 1 } }).Digest));
            Assert.True(digests.Add(With(inode with { Attributes = was with { Gid = 77 } }).Digest));
            Assert.True(digests.Add(With(inode with { Attributes = was with { ModifiedAt = new UnixTime(was.ModifiedAt.Seconds, 1) } }).Digest));
            Assert.True(digests.Add(With(inode with { Attributes = was with { Xattrs = XattrSet.Of([Samples.Xattr("user.a", "00")]) } }).Digest));
        }
    }

    // spec: SNAP-11
    [Fact]
    public void A_tree_needs_a_root_and_a_directory_around_everything()
    {
        AssertRefused("root", new FifoEntry(TreePath.Root, Samples.Plain));
        AssertRefused("root", new DirectoryEntry(TreePath.Parse("a"), Samples.Plain));
        AssertRefused("not in a directory", s_root, new FifoEntry(TreePath.Parse("a/b"), Samples.Plain));
        AssertRefused("not in a directory", s_root, new FifoEntry(TreePath.Parse("a"), Samples.Plain), new FifoEntry(TreePath.Parse("a/b"), Samples.Plain));
        AssertRefused("out of order", s_root, new FifoEntry(TreePath.Parse("b"), Samples.Plain), new FifoEntry(TreePath.Parse("a"), Samples.Plain));
        AssertRefused("twice", s_root, new FifoEntry(TreePath.Parse("a"), Samples.Plain), new SocketEntry(TreePath.Parse("a"), Samples.Plain));
    }

    /// <summary>The classic attack: a symlink first, then a file "inside" it.</summary>
    // spec: SNAP-11
    [Fact]
    public void Nothing_can_be_inside_a_symlink() => AssertRefused(
        "not in a directory",
        s_root,
        new SymlinkEntry(TreePath.Parse("a"), Samples.Plain, new ByteString("/etc"u8)),
        new FileEntry(TreePath.Parse("a/passwd"), Samples.Plain, FileContent.Empty));

    // spec: SNAP-07
    [Fact]
    public void A_hard_link_leads_to_an_earlier_entry_that_may_have_one()
    {
        FifoEntry fifo = new(TreePath.Parse("b"), Samples.Plain);
        AssertRefused("hard link", s_root, new HardLinkEntry(TreePath.Parse("a"), fifo.Path), fifo);
        AssertRefused("hard link", s_root, fifo, new HardLinkEntry(TreePath.Parse("c"), TreePath.Parse("nowhere")));
        AssertRefused("hard link", s_root, fifo, new HardLinkEntry(TreePath.Parse("c"), TreePath.Root));
        AssertRefused("hard link", s_root, fifo, new HardLinkEntry(TreePath.Parse("c"), fifo.Path), new HardLinkEntry(TreePath.Parse("d"), TreePath.Parse("c")));
    }

    [Fact]
    public void Differences_are_told_in_words_and_only_where_there_are_any()
    {
        Assert.Empty(Manifest.Compare(Samples.Manifest, Samples.Manifest));
        string[] differences = [.. Manifest.Compare(Samples.Manifest, Samples.Next).Select(difference => difference.ToString())];
        Assert.Equal(
            ["empty: it is File here and absent there", "new: it is absent here and Directory there", "pipe: owner is 0:0 here and 7:0 there"],
            differences);
        Assert.Single(Manifest.Compare(Samples.Manifest, Samples.Next, maxDifferences: 1));
    }

    [Fact]
    public void Content_is_compared_by_size_place_and_digest()
    {
        FileEntry file = (FileEntry)Samples.Manifest.Entries.Single(entry => entry.Path == TreePath.Parse("sparse"));
        ImmutableArray<ChunkId> other = [.. file.Content.Chunks.Reverse().Skip(1).Prepend(Samples.CompressedChunk.Id)];
        Manifest changed = With(file with { Content = new FileContent(file.Content.Size, [.. file.Content.Extents.Skip(1).Prepend(new FileExtent(0, 12288))], other) });
        string all = string.Join('\n', Manifest.Compare(Samples.Manifest, changed));
        Assert.Contains("sparse: where it has data is 4096+8192", all, StringComparison.Ordinal);
        Assert.Contains("sparse: content at 0 is ", all, StringComparison.Ordinal);
    }

    [Fact]
    public void Cells_are_those_that_an_extent_touches()
    {
        FileContent content = ((FileEntry)Samples.Manifest.Entries.Single(entry => entry.Path == TreePath.Parse("sparse"))).Content;
        Assert.Equal([0, 131_072, 917_504], content.Cells.Select(cell => cell.Offset));
        Assert.Equal([131_072, 131_072, 82_496], content.Cells.Select(cell => cell.Length));
        Assert.Equal(8194, content.DataLength);
    }

    private static Manifest With(TreeEntry changed) =>
        Manifest.Create(Samples.Manifest.Entries.Select(entry => entry.Path == changed.Path ? changed : entry));

    private static void AssertRefused(string why, params ReadOnlySpan<TreeEntry> entries)
    {
        Assert.False(Manifest.TryCreate([.. entries], out _, out string? reason));
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }
}
