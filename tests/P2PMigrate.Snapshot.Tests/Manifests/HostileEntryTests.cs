using Google.Protobuf;
using P2PMigrate.Snapshot.Messages;
using ByteString = Google.Protobuf.ByteString;
using EntryKind = P2PMigrate.Snapshot.Messages.EntryKind;
using Manifest = P2PMigrate.Snapshot.Manifests.Manifest;

namespace P2PMigrate.Snapshot.Tests.Manifests;

/// <summary>Well-formed protobuf that describes what cannot be.</summary>
public sealed class HostileEntryTests
{
    [Theory]
    [InlineData("../../etc/cron.d/x")]
    [InlineData("/etc/cron.d/x")]
    [InlineData("a/../../x")]
    public void A_path_out_of_the_root_is_refused(string path) =>
        AssertRefused("not a path inside a tree", new Entry { Path = ByteString.CopyFromUtf8(path), Kind = EntryKind.Fifo });

    [Fact]
    public void An_unknown_kind_is_refused()
    {
        AssertRefused("not known", At("a", default));
        AssertRefused("not known", At("a", (EntryKind)99));
    }

    // spec: SNAP-03
    [Fact]
    public void Attributes_out_of_range_are_refused()
    {
        AssertRefused("mode", At("a", EntryKind.Fifo, entry => entry.Mode = 0x1000));
        AssertRefused("owner", At("a", EntryKind.Fifo, entry => entry.Uid = uint.MaxValue));
        AssertRefused("owner", At("a", EntryKind.Fifo, entry => entry.Gid = uint.MaxValue));
        AssertRefused("time", At("a", EntryKind.Fifo, entry => entry.MtimeNanoseconds = 1_000_000_000));
    }

    // spec: SNAP-04
    [Fact]
    public void Extended_attributes_out_of_bounds_are_refused()
    {
        AssertRefused("name", WithXattrs(("", 1)));
        AssertRefused("name", WithXattrs(("user", 1)));
        AssertRefused("name", WithXattrs(("user.a\0b", 1)));
        AssertRefused("name", WithXattrs(("user." + new string('a', 251), 1)));
        AssertRefused("MaxXattrValueLength", WithXattrs(("user.a", 65537)));
        AssertRefused("order", WithXattrs(("user.b", 1), ("user.a", 1)));
        AssertRefused("twice", WithXattrs(("user.a", 1), ("user.a", 1)));
        AssertRefused("MaxXattrs ", WithXattrs([.. Enumerable.Range(0, 257).Select(index => ($"user.{index:D4}", 1))]));
        AssertRefused("MaxXattrsLength", WithXattrs([.. Enumerable.Range(0, 17).Select(index => ($"user.{index:D4}", 65536))]));
    }

    // spec: SNAP-06
    [Theory]
    [InlineData(10, new ulong[] { 0 })]                      // no pair
    [InlineData(10, new ulong[] { 0, 11 })]                  // beyond the end
    [InlineData(10, new ulong[] { 11, 1 })]                  // begins beyond the end
    [InlineData(10, new ulong[] { 0, 0 })]                   // empty
    [InlineData(10, new ulong[] { 0, 5, 0, 5 })]             // touch each other
    [InlineData(10, new ulong[] { 1, ulong.MaxValue })]      // overflow
    [InlineData(10, new ulong[] { ulong.MaxValue, 2 })]
    public void Extents_that_no_file_has_are_refused(ulong size, ulong[] extents) =>
        AssertRefused("extents", At("a", EntryKind.File, entry => Fill(entry, size, extents, digests: 1)));

    [Fact]
    public void A_file_has_one_digest_for_each_cell_with_data()
    {
        AssertRefused("one digest", At("a", EntryKind.File, entry => Fill(entry, 10, [0, 10], digests: 0)));
        AssertRefused("one digest", At("a", EntryKind.File, entry => Fill(entry, 10, [0, 10], digests: 2)));
        AssertRefused("one digest", At("a", EntryKind.File, entry => Fill(entry, 10, [], digests: 1)));
        AssertRefused("one digest", At("a", EntryKind.File, entry => Fill(entry, 1UL << 44, [0, 1UL << 44], digests: 1)));
        AssertRefused("MaxFileSize", At("a", EntryKind.File, entry => Fill(entry, (1UL << 44) + 1, [], digests: 0)));
        AssertRefused("MaxFileSize", At("a", EntryKind.File, entry => Fill(entry, 1UL << 63, [], digests: 0)));
    }

    [Fact]
    public void A_symlink_points_somewhere()
    {
        AssertRefused("symlink", At("a", EntryKind.Symlink));
        AssertRefused("symlink", At("a", EntryKind.Symlink, entry => entry.Target = ByteString.CopyFromUtf8("a\0b")));
        AssertRefused("symlink", At("a", EntryKind.Symlink, entry => entry.Target = ByteString.CopyFrom(new byte[4096])));
    }

    [Fact]
    public void A_version_from_the_future_is_refused()
    {
        AssertRefused("version", new Messages.Manifest { Version = 2 }.ToByteArray());
        AssertRefused("version", new Messages.Manifest().ToByteArray());
    }

    private static Entry At(string path, EntryKind kind, Action<Entry>? change = null)
    {
        Entry entry = new() { Path = ByteString.CopyFromUtf8(path), Kind = kind };
        change?.Invoke(entry);
        return entry;
    }

    private static Entry WithXattrs(params (string Name, int Length)[] xattrs) => At("a", EntryKind.Fifo, entry =>
    {
        foreach ((string name, int length) in xattrs)
            entry.Xattrs.Add(new Messages.Xattr { Name = ByteString.CopyFromUtf8(name), Value = ByteString.CopyFrom(new byte[length]) });
    });

    private static void Fill(Entry entry, ulong size, ulong[] extents, int digests)
    {
        entry.Size = size;
        entry.Extents.AddRange(extents);
        entry.Chunks = ByteString.CopyFrom(new byte[digests * ChunkId.Size]);
    }

    private static void AssertRefused(string why, Entry entry)
    {
        Messages.Manifest message = new() { Version = 1 };
        message.Entries.Add(new Entry { Kind = EntryKind.Directory });
        message.Entries.Add(entry);
        AssertRefused(why, message.ToByteArray());
    }

    private static void AssertRefused(string why, byte[] bytes)
    {
        Assert.False(Manifest.TryParse(bytes, out _, out string? reason));
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }
}
