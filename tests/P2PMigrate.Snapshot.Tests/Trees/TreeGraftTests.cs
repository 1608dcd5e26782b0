using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

[Trait("Spec", "SNAP-108")]
public sealed class TreeGraftTests : IDisposable
{
    private readonly TestDirectory _root = new(), _volume = new(), _whole = new();

    public void Dispose()
    {
        foreach (TestDirectory directory in (TestDirectory[])[_root, _volume, _whole])
            directory.Dispose();
    }

    [Fact]
    public void A_tree_with_grafts_is_the_tree_in_which_their_content_stands_there()
    {
        TestDirectory.Sh(_root.Path, "mkdir -p etc srv/data srv-x; echo hidden > srv/data/hidden; echo old > etc/app.conf; echo x > srv-x/x; echo z > z");
        TestDirectory.Sh(_volume.Path, "mkdir -p data/deep/cache other; chmod 751 data; echo one > data/one; ln data/one data/uno; ln -s one data/link; echo two > data/deep/two; echo stale > data/deep/cache/stale; echo new > app.conf; chmod 600 app.conf; echo fresh > other/fresh");
        TestDirectory.Sh(_whole.Path, $"cp -a {_root.Path}/. .; rm -r srv/data; cp -a {_volume.Path}/data srv/data; rm srv/data/deep/cache/stale; cp -a {_volume.Path}/other/. srv/data/deep/cache; cp -a {_volume.Path}/app.conf etc/app.conf; touch -r {_root.Path}/etc etc; touch -r {_root.Path}/srv srv; touch -r {_volume.Path}/data srv/data; touch -r {_volume.Path}/other srv/data/deep/cache; touch -r {_volume.Path}/data/deep srv/data/deep");
        using TreeScanner scanner = new(Grafted(("srv/data", "data"), ("srv/data/deep/cache", "other"), ("etc/app.conf", "app.conf")));
        Manifest found = Scan(scanner);
        Tree.AssertEqual(Tree.Scan(_whole.Path), found);

        TestDirectory.Sh(_volume.Path, "echo three > data/deep/three; rm data/link");
        Manifest later = Scan(scanner);
        Assert.Contains(later.Entries, entry => entry.Path == TreePath.Parse("srv/data/deep/three"));
        Assert.DoesNotContain(later.Entries, entry => entry.Path == TreePath.Parse("srv/data/link"));
    }

    [Fact]
    public void The_content_of_a_graft_is_read_where_it_is()
    {
        TestDirectory.Sh(_root.Path, "mkdir data; touch conf");
        TestDirectory.Sh(_volume.Path, "mkdir data; echo inside > data/file; echo outside > conf");
        TreeLocation location = Grafted(("data", "data"), ("conf", "conf"));
        using TreeScanner scanner = new(location);
        using ChunkSource source = new(location);
        IReadOnlyList<ChunkLocation> chunks = [.. ChunkCatalogue.Of(Scan(scanner)).Chunks];
        Assert.Equal(["conf", "data/file"], chunks.Select(chunk => chunk.Path.ToString()));
        Assert.All(chunks, chunk => Assert.True(source.TryRead(chunk, out _)));
    }

    /// <summary>A bind mount of a file shows the inode that had the name when it was mounted.</summary>
    [Fact]
    public void A_file_whose_name_is_given_to_another_is_still_in_the_tree()
    {
        TestDirectory.Sh(_root.Path, "touch conf");
        TestDirectory.Sh(_volume.Path, "printf before > conf");
        using TreeScanner scanner = new(Grafted(("conf", "conf")));
        TestDirectory.Sh(_volume.Path, "printf 'quite another' > new; mv new conf");
        var file = Assert.IsType<FileEntry>(Scan(scanner).Entries[^1]);
        Assert.Equal("before".Length, file.Content.Size);
    }

    [Fact]
    public void A_hollow_graft_is_there_and_empty()
    {
        TestDirectory.Sh(_root.Path, "mkdir data; echo hidden > data/hidden; touch conf");
        TestDirectory.Sh(_volume.Path, "mkdir -m 711 data; echo inside > data/file; echo text > conf; chmod 640 conf");
        using TreeScanner scanner = new(new TreeLocation(_root.Path)
        {
            Grafts = [new TreeGraft(TreePath.Parse("data"), $"{_volume.Path}/data", IsHollow: true), new TreeGraft(TreePath.Parse("conf"), $"{_volume.Path}/conf", IsHollow: true)],
        });
        Manifest found = Scan(scanner);
        Assert.Equal([".", "conf", "data"], found.Entries.Select(entry => entry.Path.ToString()));
        var conf = Assert.IsType<FileEntry>(found.Entries[1]);
        Assert.Equal((0, 0x1A0u), (conf.Content.Size, conf.Attributes.Mode));
        Assert.Equal(0x1C9u, Assert.IsType<DirectoryEntry>(found.Entries[2]).Attributes.Mode);
    }

    [Fact]
    public void A_graft_whose_place_is_not_there_is_refused_and_named()
    {
        TestDirectory.Sh(_volume.Path, "mkdir data; mkfifo pipe");
        using TreeScanner scanner = new(Grafted(("not/there", "data")));
        Assert.Contains("\"not/there\" is not in the tree", Assert.Throws<SnapshotException>(() => Scan(scanner)).Message, StringComparison.Ordinal);
        Assert.Throws<SnapshotException>(() => new TreeScanner(Grafted(("data", "nowhere"))));
        Assert.Contains("neither a directory nor a regular file", Assert.Throws<SnapshotException>(() => new TreeScanner(Grafted(("pipe", "pipe")))).Message, StringComparison.Ordinal);
    }

    private static Manifest Scan(TreeScanner scanner) => scanner.Scan(ScanMode.Live, TestContext.Current.CancellationToken).Manifest;

    private TreeLocation Grafted(params (string At, string Name)[] grafts) => new(_root.Path)
    {
        Grafts = [.. grafts.Select(graft => new TreeGraft(TreePath.Parse(graft.At), Path.Combine(_volume.Path, graft.Name)))],
    };
}
