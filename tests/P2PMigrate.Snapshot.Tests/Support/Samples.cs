using System.Text;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>Small things of every kind, always the same; the vectors of the specification are made of them.</summary>
internal static class Samples
{
    /// <summary>A chunk too short to compress.</summary>
    public static readonly EncodedChunk RawChunk = EncodedChunk.Encode("hello"u8);

    /// <summary>A chunk that compresses: 1000 times the same byte.</summary>
    public static readonly EncodedChunk CompressedChunk = EncodedChunk.Encode(Enumerable.Repeat((byte)'a', 1000).ToArray());

    public static readonly InodeAttributes Plain = new(0x1A4, 0, 0, new UnixTime(1_700_000_000, 123_456_789), XattrSet.Empty);

    /// <summary>One entry of each kind.</summary>
    public static Manifest Manifest { get; } = Manifest.Create(
    [
        new DirectoryEntry(TreePath.Root, Plain with { Mode = 0x1ED }),
        new DeviceEntry(TreePath.Parse("block"), Plain, IsBlock: true, 259, 1048575),
        new DeviceEntry(TreePath.Parse("null"), Plain with { Mode = 0x1B6 }, IsBlock: false, 1, 3),
        new DirectoryEntry(TreePath.Parse("bin"), Plain with { Mode = 0x5ED, Gid = 4_294_967_294 }),
        new FileEntry(
            TreePath.Parse("bin/ping"),
            Plain with { Xattrs = XattrSet.Of([Xattr("security.capability", "0100000200200000"), Xattr("user.mime", "")]) },
            new FileContent(5, [new FileExtent(0, 5)], [RawChunk.Id])),
        new HardLinkEntry(TreePath.Parse("bin/ping6"), TreePath.Parse("bin/ping")),
        new FileEntry(
            TreePath.Parse("sparse"),
            Plain with { ModifiedAt = new UnixTime(-1, 999_999_999) },
            new FileContent(1_000_000, [new FileExtent(4096, 8192), new FileExtent(131_072, 1), new FileExtent(999_999, 1)], [RawChunk.Id, CompressedChunk.Id, RawChunk.Id])),
        new FileEntry(TreePath.Parse("empty"), Plain, FileContent.Empty),
        new SymlinkEntry(Raw([0xFF, 0x0A, 0x80]), Plain with { Mode = 0x1FF }, new ByteString("../../etc/passwd"u8)),
        new FifoEntry(TreePath.Parse("pipe"), Plain),
        new SocketEntry(TreePath.Parse("socket"), Plain),
    ]);

    /// <summary>What <see cref="Manifest"/> becomes: a file changed, a file gone, a directory new.</summary>
    public static Manifest Next { get; } = Manifest.Create(
        Manifest.Entries
            .Where(entry => entry.Path != TreePath.Parse("empty"))
            .Select(entry => entry is FifoEntry fifo ? fifo with { Attributes = Plain with { Uid = 7 } } : entry)
            .Append(new DirectoryEntry(TreePath.Parse("new"), Plain)));

    public static ManifestDelta Delta { get; } = ManifestDelta.Between(Manifest, Next);

    /// <summary>Three pages: one of zeros, one of a pattern, one of 0xAB.</summary>
    public static byte[] Pages { get; } = MakePages();

    public static TreePath Raw(ReadOnlySpan<byte> bytes)
    {
        Assert.True(TreePath.TryParse(bytes, out TreePath path, out string? reason), reason);
        return path;
    }

    public static Xattr Xattr(string name, string hexadecimalValue) =>
        new(new ByteString(Encoding.ASCII.GetBytes(name)), new ByteString(Convert.FromHexString(hexadecimalValue)));

    private static byte[] MakePages()
    {
        byte[] pages = new byte[3 * PageRun.PageSize];
        for (int index = 0; index < PageRun.PageSize; index++)
            pages[PageRun.PageSize + index] = (byte)(index / 16);
        pages.AsSpan(2 * PageRun.PageSize).Fill(0xAB);
        return pages;
    }
}
