using System.Collections.Immutable;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>
/// Makes up trees, and turns one into another, with everything a file system can hold. The content goes into a store. The
/// same seed makes the same trees.
/// </summary>
internal sealed class RandomTree(int seed, IChunkStore store)
{
    private const int Block = 4096;

    private readonly Random _random = new(seed);

    /// <summary>A new tree of about <paramref name="count"/> entries.</summary>
    public Manifest Make(int count)
    {
        SortedDictionary<TreePath, TreeEntry> entries = new() { [TreePath.Root] = new DirectoryEntry(TreePath.Root, Attributes(EntryKind.Directory)) };
        while (entries.Count < count)
            Add(entries);
        return Manifest.Create(entries.Values);
    }

    /// <summary>A tree that shares much with <paramref name="manifest"/>: some deleted, some changed, some of another type, some new.</summary>
    public Manifest Change(Manifest manifest)
    {
        SortedDictionary<TreePath, TreeEntry> entries = [];
        foreach (TreeEntry entry in manifest.Entries)
        {
            bool isHeld = entry.Path.IsRoot || (entries.TryGetValue(entry.Path.Parent, out TreeEntry? parent) && parent is DirectoryEntry);
            if (isHeld && (entry.Path.IsRoot || _random.Next(10) != 0))
                entries[entry.Path] = entry.Path.IsRoot || _random.Next(4) != 0 ? entry : Changed(entry);
        }

        DropLooseLinks(entries);
        for (int added = _random.Next(20); added > 0; added--)
            Add(entries);
        return Manifest.Create(entries.Values);
    }

    private void Add(SortedDictionary<TreePath, TreeEntry> entries)
    {
        TreePath[] directories = [.. entries.Values.OfType<DirectoryEntry>().Select(entry => entry.Path)];
        if (!directories[_random.Next(directories.Length)].TryAppend(Name(), out TreePath path) || entries.ContainsKey(path))
            return;

        TreePath[] links = [.. entries.Values.OfType<InodeEntry>().Where(entry => entry is not DirectoryEntry && entry.Path < path).Select(entry => entry.Path)];
        bool isLink = links.Length > 0 && _random.Next(8) == 0;
        entries[path] = isLink ? new HardLinkEntry(path, links[_random.Next(links.Length)]) : Inode(path);
    }

    private InodeEntry Changed(TreeEntry entry) => (entry, _random.Next(3)) switch
    {
        (FileEntry file, 0) => file with { Attributes = Attributes(EntryKind.File) },
        (FileEntry file, 1) => file with { Content = Content() },
        (DirectoryEntry directory, < 2) => directory with { Attributes = Attributes(EntryKind.Directory) },
        _ => Inode(entry.Path),
    };

    private static void DropLooseLinks(SortedDictionary<TreePath, TreeEntry> entries)
    {
        HardLinkEntry[] loose =
            [.. entries.Values.OfType<HardLinkEntry>().Where(link => !entries.TryGetValue(link.First, out TreeEntry? first) || first is DirectoryEntry or HardLinkEntry)];
        foreach (HardLinkEntry link in loose)
            entries.Remove(link.Path);
    }

    private InodeEntry Inode(TreePath path) => _random.Next(12) switch
    {
        0 or 1 or 2 => new DirectoryEntry(path, Attributes(EntryKind.Directory)),
        3 => new SymlinkEntry(path, Attributes(EntryKind.Symlink), new ByteString(Name())),
        4 => new DeviceEntry(path, Attributes(EntryKind.CharacterDevice), IsBlock: false, (uint)_random.Next(4096), (uint)_random.Next(1 << 20)),
        5 => new DeviceEntry(path, Attributes(EntryKind.BlockDevice), IsBlock: true, (uint)_random.Next(4096), (uint)_random.Next(1 << 20)),
        6 => new FifoEntry(path, Attributes(EntryKind.Fifo)),
        7 => new SocketEntry(path, Attributes(EntryKind.Socket)),
        _ => new FileEntry(path, Attributes(EntryKind.File), Content()),
    };

    private byte[] Name()
    {
        byte[] name = new byte[_random.Next(1, _random.Next(20) == 0 ? 255 : 6)];
        do
        {
            _random.NextBytes(name);
        }
        while (!TreePath.IsName(name));
        return name;
    }

    private InodeAttributes Attributes(EntryKind kind)
    {
        uint mode = kind == EntryKind.Symlink ? 0x1FF : (uint)_random.Next(0x1000);
        List<Xattr> xattrs = [];
        if (_random.Next(4) == 0)
            xattrs.Add(Xattr("trusted.p2pmigrate", Bytes(_random.Next(200))));
        if (kind is EntryKind.File or EntryKind.Directory && _random.Next(4) == 0)
            xattrs.Add(Xattr("user.something", Bytes(_random.Next(200))));
        if (kind == EntryKind.File && _random.Next(6) == 0)
            xattrs.Add(Xattr("security.capability", Convert.FromHexString("0100000200040000000000000000000000000000")));
        if (kind != EntryKind.Symlink && _random.Next(6) == 0)
            xattrs.Add(Xattr("system.posix_acl_access", Acl.Access(mode, user: 1000)));
        if (kind == EntryKind.Directory && _random.Next(6) == 0)
            xattrs.Add(Xattr("system.posix_acl_default", Acl.Access((uint)_random.Next(0x200), user: 1001)));
        UnixTime modifiedAt = new(_random.NextInt64(-1_000_000, 4_000_000_000), (uint)_random.Next(1_000_000_000));
        return new InodeAttributes(mode, (uint)_random.Next(), (uint)_random.Next(), modifiedAt, XattrSet.Of(xattrs));
    }

    private FileContent Content()
    {
        (int blocks, int holes) = _random.Next(10) switch
        {
            0 => (0, 0),
            < 6 => (1, 0),
            < 8 => (80, 3),
            _ => (600, 2),
        };
        int size = blocks == 0 ? 0 : _random.Next(1, blocks * Block);
        byte[] content = Bytes(size);
        if (_random.Next(2) == 0)
            content.AsSpan(size / 2).Fill((byte)'x');
        return Store(content, Extents(size, holes));
    }

    /// <summary>Data with holes between, all at blocks, as ext4 and tmpfs keep them.</summary>
    private ImmutableArray<FileExtent> Extents(int size, int holes)
    {
        List<int> cuts = [.. Enumerable.Range(0, 2 * holes).Select(_ => _random.Next((size / Block) + 1) * Block).Distinct().Order()];
        List<FileExtent> extents = [];
        int start = 0;
        foreach (int[] hole in cuts.Chunk(2).Where(pair => pair.Length == 2))
        {
            if (hole[0] > start)
                extents.Add(new FileExtent(start, hole[0] - start));
            start = hole[1];
        }

        if (start < size)
            extents.Add(new FileExtent(start, size - start));
        return [.. extents];
    }

    private FileContent Store(byte[] content, ImmutableArray<FileExtent> extents)
    {
        byte[] visible = new byte[content.Length];
        foreach (FileExtent extent in extents)
            content.AsSpan((int)extent.Offset, (int)extent.Length).CopyTo(visible.AsSpan((int)extent.Offset));

        ImmutableArray<ChunkId>.Builder chunks = ImmutableArray.CreateBuilder<ChunkId>();
        foreach (long offset in FileContent.CellOffsets(extents))
        {
            int length = (int)Math.Min(SnapshotLimits.ChunkLength, content.Length - offset);
            EncodedChunk chunk = EncodedChunk.Encode(visible.AsSpan((int)offset, length));
            Assert.True(store.TryWrite(chunk, out string? reason), reason);
            chunks.Add(chunk.Id);
        }

        return new FileContent(content.Length, extents, chunks.ToImmutable());
    }

    private byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private static Xattr Xattr(string name, byte[] value) => new(new ByteString(System.Text.Encoding.ASCII.GetBytes(name)), new ByteString(value));
}
