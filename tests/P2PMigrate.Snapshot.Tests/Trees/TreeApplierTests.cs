using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

public sealed class TreeApplierTests : IDisposable
{
    private static readonly DirectoryEntry s_root = new(TreePath.Root, Samples.Plain with { Mode = 0x1ED });

    private readonly TestDirectory _directory = new();
    private readonly MemoryChunkStore _store = new();
    private readonly string _root;

    public TreeApplierTests() => _root = _directory.Make("root");

    public void Dispose() => _directory.Dispose();

    // spec: SNAP-92
    [Fact]
    public void Without_its_content_nothing_is_touched()
    {
        Manifest manifest = Manifest.Create([s_root, new DirectoryEntry(TreePath.Parse("d"), Samples.Plain), Hello("d/f")]);
        SnapshotException exception = Assert.Throws<SnapshotException>(() => Tree.Apply(_root, manifest, _store));
        Assert.Equal("The content of 1 files is not in the store, that of \"d/f\" first.", exception.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    // spec: SNAP-92
    [Fact]
    public void A_live_round_leaves_out_what_it_has_no_content_for_and_a_later_one_makes_it_good()
    {
        FileEntry old = new(TreePath.Parse("f"), Samples.Plain, FileContent.Empty);
        Manifest first = Manifest.Create([s_root, old]);
        Manifest second = Manifest.Create([s_root, Hello("f"), Link("g", "f"), Hello("new"), Link("newer", "new"), new DirectoryEntry(TreePath.Parse("d"), Samples.Plain)]);
        using TreeApplier applier = new(_root, _store);
        applier.Apply(first, cancellationToken: TestContext.Current.CancellationToken);

        ApplySummary summary = applier.Apply(second, MissingContent.Skip, TestContext.Current.CancellationToken);
        Assert.Equal(["f", "new"], summary.Skipped.Select(path => path.ToString()));
        Tree.AssertEqual(Manifest.Create([s_root, old, Link("g", "f"), second.Entries[1]]), Tree.Scan(_root));

        Assert.True(_store.TryWrite(Samples.RawChunk, out _));
        Assert.Empty(applier.Apply(second, MissingContent.Skip, TestContext.Current.CancellationToken).Skipped);
        Tree.AssertEqual(second, Tree.Scan(_root));
    }

    /// <summary>Somebody puts a symlink where the applier believes to have a directory.</summary>
    // spec: SNAP-91
    [Fact]
    public void Nothing_is_written_through_a_symlink_in_the_target()
    {
        string outside = _directory.Make("outside");
        Assert.True(_store.TryWrite(Samples.RawChunk, out _));
        DirectoryEntry directory = new(TreePath.Parse("d"), Samples.Plain);
        using TreeApplier applier = new(_root, _store);
        applier.Apply(Manifest.Create([s_root, directory]), cancellationToken: TestContext.Current.CancellationToken);
        TestDirectory.Sh(_root, "rmdir d; ln -s ../outside d");

        Manifest wanted = Manifest.Create([s_root, directory, Hello("d/f")]);
        Assert.Throws<SnapshotException>(() => applier.Apply(wanted, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));

        applier.Apply(wanted, cancellationToken: TestContext.Current.CancellationToken); // it looks again, and repairs
        Tree.AssertEqual(wanted, Tree.Scan(_root));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    [Fact]
    public void What_symlinks_in_the_target_point_to_is_left_alone()
    {
        string outside = _directory.Make("outside");
        File.WriteAllText(Path.Combine(outside, "precious"), "still here");
        string before = Tree.Look(outside);
        TestDirectory.Sh(_root, "ln -s ../outside d; ln -s ../outside/precious f; ln -s ../outside/precious g");
        Assert.True(_store.TryWrite(Samples.RawChunk, out _));
        Tree.Apply(_root, Manifest.Create([s_root, new DirectoryEntry(TreePath.Parse("d"), Samples.Plain), Hello("d/x"), Hello("f")]), _store);
        Assert.Equal(before, Tree.Look(outside));
    }

    [Fact]
    public void What_the_file_system_cannot_hold_is_told_with_its_path()
    {
        Manifest manifest = Manifest.Create([s_root, new SymlinkEntry(TreePath.Parse("link"), Samples.Plain with { Xattrs = XattrSet.Of([Samples.Xattr("user.a", "00")]) }, new ByteString("x"u8))]);
        SnapshotException exception = Assert.Throws<SnapshotException>(() => Tree.Apply(_root, manifest, _store));
        Assert.StartsWith("Cannot set the extended attribute user.a of \"link\": ", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void A_sparse_giant_that_the_file_system_refuses_is_told_with_its_path()
    {
        Manifest manifest = Manifest.Create([s_root, new FileEntry(TreePath.Parse("giant"), Samples.Plain, new FileContent(SnapshotLimits.MaxFileSize, [], []))]);
        Exception? exception = Record.Exception(() => Tree.Apply(_root, manifest, _store));
        Assert.True(exception is null or SnapshotException { Message: "Cannot set the size of \"giant\": File too large." }, $"{exception}");
    }

    [Fact]
    public void Files_with_the_applier_s_own_kind_of_name_are_files_like_others()
    {
        Assert.True(_store.TryWrite(Samples.RawChunk, out _));
        Manifest manifest = Manifest.Create([s_root, Hello(".p2pmigrate-0000000000000000"), Hello(".p2pmigrate-")]);
        Tree.Apply(_root, manifest, _store);
        Tree.AssertEqual(manifest, Tree.Scan(_root));
    }

    [Fact]
    public void A_spoiled_store_stops_the_applier_and_the_chunk_can_be_sent_again()
    {
        string chunks = _directory.Make("store");
        using DirectoryChunkStore store = new(chunks);
        Assert.True(store.TryWrite(Samples.RawChunk, out _));
        TestDirectory.Sh(chunks, "printf y | dd of=$(echo pack-*.data) bs=1 seek=2 conv=notrunc status=none");
        Manifest manifest = Manifest.Create([s_root, Hello("f")]);
        using TreeApplier applier = new(_root, store);
        var before = ChunkDemand.Of(ChunkCatalogue.Of(manifest), store);
        SnapshotException exception = Assert.Throws<SnapshotException>(() => applier.Apply(manifest));
        Assert.Contains("must be sent again", exception.Message, StringComparison.Ordinal);
        Assert.Equal(Samples.RawChunk.Id, exception.SpoiledChunk);

        Assert.Equal((0, 1), (before.Count, before.OfSpoiled(store).Count));
        Assert.Equal(1, ChunkDemand.Of(ChunkCatalogue.Of(manifest), store).Count);
        Assert.True(store.TryWrite(Samples.RawChunk, out _));
        applier.Apply(manifest, cancellationToken: TestContext.Current.CancellationToken);
        applier.Flush();
        Tree.AssertEqual(manifest, Tree.Scan(_root));
    }

    [Fact]
    public void An_empty_manifest_is_no_order_to_delete_everything()
    {
        File.WriteAllText(Path.Combine(_root, "precious"), "");
        Assert.Throws<SnapshotException>(() => Tree.Apply(_root, Manifest.Empty, _store));
        Assert.True(File.Exists(Path.Combine(_root, "precious")));
    }

    private static FileEntry Hello(string path) =>
        new(TreePath.Parse(path), Samples.Plain, new FileContent(5, [new FileExtent(0, 5)], [Samples.RawChunk.Id]));

    private static HardLinkEntry Link(string path, string first) => new(TreePath.Parse(path), TreePath.Parse(first));
}
