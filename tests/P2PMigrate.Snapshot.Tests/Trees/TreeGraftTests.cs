using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

[Trait("Spec", "SNAP-108")]
public sealed class TreeGraftTests : IDisposable
{
    private readonly TestDirectory _root = new(), _view = new(), _whole = new();

    public void Dispose()
    {
        foreach (TestDirectory directory in (TestDirectory[])[_root, _view, _whole])
            directory.Dispose();
    }

    [Fact]
    public void A_tree_with_grafts_is_the_tree_in_which_their_content_stands_there()
    {
        TestDirectory.Sh(_root.Path, "mkdir -p etc srv/data srv-x; echo hidden > srv/data/hidden; echo old > etc/app.conf; echo x > srv-x/x; echo z > z");
        TestDirectory.Sh(_view.Path, "mkdir -p srv/data/deep etc; chmod 751 srv/data; cd srv/data; echo one > one; ln one uno; ln -s one link; echo two > deep/two; echo new > ../../etc/app.conf; chmod 600 ../../etc/app.conf");
        TestDirectory.Sh(_whole.Path, $"cp -a {_root.Path}/. .; rm -r srv/data; cp -a {_view.Path}/srv/data srv/data; cp -a {_view.Path}/etc/app.conf etc/app.conf; touch -r {_root.Path}/etc etc; touch -r {_root.Path}/srv srv; touch -r {_view.Path}/srv/data srv/data");
        using TreeScanner scanner = new(Grafted("srv/data", "srv/data/deep", "etc/app.conf"));
        Tree.AssertEqual(Tree.Scan(_whole.Path), Scan(scanner));

        TestDirectory.Sh(_view.Path, "echo three > srv/data/deep/three; rm srv/data/link");
        Manifest later = Scan(scanner);
        Assert.Contains(later.Entries, entry => entry.Path == TreePath.Parse("srv/data/deep/three"));
        Assert.DoesNotContain(later.Entries, entry => entry.Path == TreePath.Parse("srv/data/link"));
    }

    [Fact]
    public void The_content_of_a_graft_is_read_where_it_is()
    {
        TestDirectory.Sh(_root.Path, "mkdir data; touch conf");
        TestDirectory.Sh(_view.Path, "mkdir data; echo inside > data/file; echo outside > conf");
        TreeLocation location = Grafted("data", "conf");
        using TreeScanner scanner = new(location);
        using ChunkSource source = new(location);
        IReadOnlyList<ChunkLocation> chunks = [.. ChunkCatalogue.Of(Scan(scanner)).Chunks];
        Assert.Equal(["conf", "data/file"], chunks.Select(chunk => chunk.Path.ToString()));
        Assert.All(chunks, chunk => Assert.True(source.TryRead(chunk, out _)));
    }

    /// <summary>A bind mount of a file shows the inode that had the name when it was mounted.</summary>
    [Fact]
    public void A_file_whose_name_is_given_to_another_is_still_in_the_tree_and_the_other_is_not_opened_for_it()
    {
        TestDirectory.Sh(_root.Path, "touch conf");
        TestDirectory.Sh(_view.Path, "printf before > conf");
        TreeLocation location = Grafted("conf");
        using TreeScanner scanner = new(location);
        TestDirectory.Sh(_view.Path, "printf 'quite another' > new; mv new conf");
        Assert.Equal("before".Length, Assert.IsType<FileEntry>(Scan(scanner).Entries[^1]).Content.Size);
        Assert.Contains("is not what it was", Assert.Throws<SnapshotException>(() => new TreeScanner(location)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hollow_graft_is_there_and_empty()
    {
        TestDirectory.Sh(_root.Path, "mkdir data; echo hidden > data/hidden; touch conf");
        TestDirectory.Sh(_view.Path, "mkdir -m 711 data; echo inside > data/file; echo text > conf; chmod 640 conf");
        using TreeScanner scanner = new(new TreeLocation(_root.Path) { Grafts = [GraftOf("data", isHollow: true), GraftOf("conf", isHollow: true)] });
        Manifest found = Scan(scanner);
        Assert.Equal([".", "conf", "data"], found.Entries.Select(entry => entry.Path.ToString()));
        var conf = Assert.IsType<FileEntry>(found.Entries[1]);
        Assert.Equal((0, 0x1A0u), (conf.Content.Size, conf.Attributes.Mode));
        Assert.Equal(0x1C9u, Assert.IsType<DirectoryEntry>(found.Entries[2]).Attributes.Mode);
    }

    [Fact]
    public void A_graft_whose_place_is_not_there_is_refused_and_named()
    {
        TestDirectory.Sh(_view.Path, "mkdir -p not/there; mkfifo pipe; ln -s not link");
        using TreeScanner scanner = new(Grafted("not/there"));
        Assert.Contains("\"not/there\" is not in the tree", Assert.Throws<SnapshotException>(() => Scan(scanner)).Message, StringComparison.Ordinal);
        foreach (string odd in (string[])["nowhere", "pipe", "link", "link/there"])
            Assert.Throws<SnapshotException>(() => GraftOf(odd));
    }

    private static Manifest Scan(TreeScanner scanner) => scanner.Scan(ScanMode.Live, TestContext.Current.CancellationToken).Manifest;

    private TreeLocation Grafted(params string[] names) => new(_root.Path) { Grafts = [.. names.Select(name => GraftOf(name))] };

    private TreeGraft GraftOf(string name, bool isHollow = false) => TreeGraft.Of(TreePath.Parse(name), _view.Path, isHollow);
}
