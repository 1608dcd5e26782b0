using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Trees;

/// <summary>From a tree that a shell has made to a copy of it that coreutils cannot tell apart.</summary>
public sealed class RoundTripTests : IDisposable
{
    private const string Everything = """
        umask 022
        mkdir -p bin etc 'with space' dev empty/deep/deeper
        printf hello > bin/hello; ln bin/hello bin/alias; ln bin/hello 'with space/third name'
        printf '#!/bin/sh\n' > bin/su; chown 1234:5678 bin/su; chmod 6755 bin/su
        chown 99999:4294967294 etc; chmod 1777 etc; chmod 000 empty/deep
        ln -s ../../outside/etc/passwd etc/link; ln -s etc/loop etc/loop; ln -s . etc/self; chown -h 7:8 etc/link
        printf x > "$(printf 'etc/\377\n\033[31m')"; printf y > etc/-rf
        mknod dev/null c 1 3; mknod dev/big b 259 1048575; chmod 666 dev/null; mkfifo -m 640 dev/fifo; ln dev/fifo dev/fifo2
        truncate -s 50M etc/hole; printf middle | dd of=etc/hole bs=1 seek=20000000 conv=notrunc status=none
        head -c 300000 /dev/urandom > etc/noise; yes text | head -c 1000000 > etc/text; : > etc/nothing
        truncate -s 1234567 etc/allhole
        touch -h -d '1969-12-31 23:59:59.123456789' etc/link; touch -d '2030-01-01 00:00:00.000000001' etc/noise; touch -d '1980-01-01' empty/deep/deeper
        """;

    private readonly TestDirectory _directory = new();
    private readonly MemoryChunkStore _store = new();
    private readonly string _source;
    private readonly string _target;

    public RoundTripTests()
    {
        _source = _directory.Make("source");
        _target = _directory.Make("target");
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Coreutils_cannot_tell_the_copy_from_the_tree()
    {
        Powers.NeedRoot();
        TestDirectory.Sh(_source, Everything);
        Manifest manifest = Copy();

        Tree.AssertEqual(manifest, Tree.Scan(_target));
        Assert.Equal(Tree.Look(_source), Tree.Look(_target));
    }

    [Fact]
    public void Holes_stay_holes()
    {
        TestDirectory.Sh(_source, "truncate -s 100M file; printf data | dd of=file bs=1 seek=50000000 conv=notrunc status=none");
        Manifest manifest = Copy();
        FileContent content = Assert.IsType<FileEntry>(manifest.Entries[1]).Content;
        Assert.Equal(100 * 1024 * 1024, content.Size);
        Assert.True(content.DataLength < 100_000, $"{content.DataLength} bytes of data");
        Assert.Equal(TestDirectory.Sh(_source, "stat -c %b file"), TestDirectory.Sh(_target, "stat -c %b file"));
    }

    [Fact]
    public void Sockets_have_names()
    {
        Powers.NeedRoot();
        using System.Net.Sockets.Socket socket = new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, default);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(_source, "s")));
        Assert.IsType<SocketEntry>(Copy().Entries[1]);
        Assert.Equal(Tree.Look(_source), Tree.Look(_target));
    }

    [Fact]
    public void Extended_attributes_of_all_namespaces_arrive()
    {
        Powers.NeedRoot();
        TestDirectory.Sh(_source, "mkdir dir; printf x > file; printf x > setuid; chmod 4711 setuid; ln -s nowhere link; mknod dev c 1 3");
        foreach (string name in (string[])["dir", "file", "dev"])
            Tree.SetXattr(Path.Combine(_source, name), "trusted.test", [0, 1, 2, 255]);
        Tree.SetXattr(Path.Combine(_source, "file"), "user.empty", []);
        Tree.SetXattr(Path.Combine(_source, "setuid"), "security.capability", Convert.FromHexString("0100000200040000000000000000000000000000"));
        Tree.SetXattr(Path.Combine(_source, "file"), "system.posix_acl_access", Acl.Access(0x1A4, user: 1000));
        Tree.SetXattr(Path.Combine(_source, "dir"), "system.posix_acl_default", Acl.Access(0x1ED, user: 1000));
        TestDirectory.Sh(_source, "printf x > dir/inherits; mkdir dir/inherits2; chmod 640 dir/inherits");

        Manifest manifest = Copy();
        Tree.AssertEqual(manifest, Tree.Scan(_target));
        Assert.Equal(Tree.Look(_source), Tree.Look(_target));
        InodeAttributes file = ((InodeEntry)manifest.Entries.Single(entry => entry.Path == TreePath.Parse("file"))).Attributes;
        Assert.Equal(["system.posix_acl_access", "trusted.test", "user.empty"], file.Xattrs.Items.Select(xattr => xattr.Name.ToString()));

        // Nothing that a directory's default ACL gives to new files stays with those that should not have it.
        TestDirectory.Sh(_source, "rm dir/inherits");
        TestDirectory.Sh(_source, "printf x > plain; mv plain dir/inherits");
        Tree.AssertEqual(Copy(), Tree.Scan(_target));
    }

    [Fact]
    public void A_tree_follows_its_source_through_deletions_and_changes_of_type()
    {
        Powers.NeedRoot();
        TestDirectory.Sh(_source, Everything);
        Copy();
        string[] changes =
        [
            "rm -r bin; printf file > bin",                                     // directory to file
            "rm etc/noise; mkdir -p etc/noise/etc; printf x > etc/noise/etc/x", // file to directory
            "rm etc/link; printf link > etc/link; rm etc/nothing; ln -s . etc/nothing",
            "rm -r empty; ln -s etc empty; rm dev/null; mkdir dev/null",        // directory to symlink
            "rm empty; mkdir -p empty/deep; rm -r etc/noise",
            "rm -r 'with space' dev etc bin empty",
        ];
        foreach (string change in changes)
        {
            TestDirectory.Sh(_source, change);
            Tree.AssertEqual(Copy(), Tree.Scan(_target));
            Assert.Equal(Tree.Look(_source), Tree.Look(_target));
        }
    }

    [Fact]
    public void Hard_links_join_part_and_change_together()
    {
        TestDirectory.Sh(_source, "printf one > a; ln a b; ln a c; printf two > x; ln x y");
        Copy();
        string[] changes =
        [
            "rm a",                                     // the first name goes
            "ln b a; ln x A",                           // a name before all others comes
            "rm c; cp -p b c",                          // one leaves, with equal content
            "printf more >> b",                         // all change
            "rm y; ln b y",                             // one moves to the other group
            "rm x; ln a x; chmod 600 a; touch -d '2001-01-01' y",
            "head -c 3000000 /dev/urandom > a",         // large enough to be patched later
            "printf patched | dd of=a bs=1 seek=1000000 conv=notrunc status=none; rm b; cp -p a b; printf other | dd of=a bs=1 seek=10 conv=notrunc status=none",
        ];
        foreach (string change in changes)
        {
            TestDirectory.Sh(_source, change);
            Tree.AssertEqual(Copy(), Tree.Scan(_target));
            Assert.Equal(Tree.Look(_source), Tree.Look(_target));
        }
    }

    [Fact]
    public void A_large_file_is_changed_only_where_it_differs()
    {
        TestDirectory.Sh(_source, "head -c 20000000 /dev/urandom > log; truncate -s 40M sparse; head -c 3000000 /dev/urandom | dd of=sparse bs=1M seek=10 conv=notrunc status=none");
        Manifest first = Copy();
        using TargetTree target = new(_target, first, _store);
        string[] changes =
        [
            "printf appended >> log",
            "printf x | dd of=log bs=1 seek=1000000 conv=notrunc status=none",
            "truncate -s 15000001 log",
            "fallocate -p -o 10485760 -l 1000000 sparse",
            "printf x | dd of=sparse bs=1 seek=30000000 conv=notrunc status=none",
            "truncate -s 12M sparse; truncate -s 50M sparse",
        ];
        foreach (string change in changes)
        {
            TestDirectory.Sh(_source, change);
            Assert.True(target.Follow(_source) <= 2 * SnapshotLimits.ChunkLength, $"{change}: more than two cells written");
            Assert.Equal(Tree.Look(_source), Tree.Look(_target));
        }
    }

    [Fact]
    public void Applying_the_same_again_does_nothing()
    {
        TestDirectory.Sh(_source, "mkdir d; printf x > d/f; ln d/f d/g");
        Manifest manifest = Copy();
        Assert.Equal((0, 0, 0L), Tree.Apply(_target, manifest, _store) is var summary ? (summary.Written, summary.Deleted, summary.BytesWritten) : default);
    }

    private Manifest Copy()
    {
        Manifest manifest = Tree.Scan(_source);
        Tree.Transfer(_source, ChunkCatalogue.Of(manifest), _store);
        Tree.Apply(_target, manifest, _store);
        return manifest;
    }
}
