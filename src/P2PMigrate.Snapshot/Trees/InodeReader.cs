using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Reads one inode completely, attributes and content, and notices when it changed meanwhile. One owner: each thread of a
/// scan has its own.
/// </summary>
internal sealed class InodeReader(TreeRoot root, int maxAttempts)
{
    private readonly XattrReader _xattrs = new();
    private readonly byte[] _cell = new byte[SnapshotLimits.ChunkLength];

    /// <summary>Bytes of content read so far.</summary>
    public long BytesRead { get; private set; }

    /// <summary>What <paramref name="name"/> is now.</summary>
    public ReadInode Read(in WalkedName name, CancellationToken cancellationToken)
    {
        // spec: SNAP-81
        InodeEntry? entry = null;
        InodeStamp stamp = default;
        for (int attempt = 0; attempt < maxAttempts; attempt++)
        {
            using SafeFileHandle? inode = root.TryOpenInode(name.Path);
            if (inode is null)
                return default;

            stamp = Inode.Stat(inode).Stamp;
            entry = Read(inode, name, cancellationToken);
            if (entry is not null && Inode.Stat(inode).Stamp == stamp)
                return new ReadInode(entry, stamp, IsStable: true);
        }

        return new ReadInode(entry, stamp, IsStable: false);
    }

    private InodeEntry? Read(SafeFileHandle inode, in WalkedName name, CancellationToken cancellationToken)
    {
        Statx facts = Inode.Stat(inode);
        TreePath path = name.Path;
        UnixTime modifiedAt = facts.Stamp.ModifiedAt;
        InodeAttributes attributes = new(facts.Mode & InodeAttributes.ModeMask, facts.Uid, facts.Gid, modifiedAt, _xattrs.Read(inode, path));
        return facts.Kind switch
        {
            EntryKind.Directory => new DirectoryEntry(path, attributes),
            EntryKind.File when name.IsMountPoint => new FileEntry(path, attributes, FileContent.Empty),
            EntryKind.File => ReadContent(inode, path, facts.Size, cancellationToken) is { } content ? new FileEntry(path, attributes, content) : null,
            EntryKind.Symlink => new SymlinkEntry(path, attributes, Inode.ReadLink(inode, path)),
            EntryKind.CharacterDevice => new DeviceEntry(path, attributes, IsBlock: false, facts.DeviceMajor, facts.DeviceMinor),
            EntryKind.BlockDevice => new DeviceEntry(path, attributes, IsBlock: true, facts.DeviceMajor, facts.DeviceMinor),
            EntryKind.Fifo => new FifoEntry(path, attributes),
            EntryKind.Socket => new SocketEntry(path, attributes),
            _ => throw new SnapshotException($"\"{path}\" is of a kind that cannot be described."),
        };
    }

    /// <summary>The content, or null when the file was cut shorter while it was read.</summary>
    private FileContent? ReadContent(SafeFileHandle inode, TreePath path, long size, CancellationToken cancellationToken)
    {
        if (size == 0)
            return FileContent.Empty;
        if (size > SnapshotLimits.MaxFileSize)
            throw new SnapshotException($"\"{path}\" is larger than MaxFileSize ({SnapshotLimits.MaxFileSize} bytes).");

        using SafeFileHandle file = Inode.TryOpenToRead(inode) ?? throw Errno.Failure("open", path);
        ImmutableArray<FileExtent> extents = FileExtents.Read(file, path, size);
        long cells = FileContent.CountCells(extents);
        if (cells > SnapshotLimits.MaxChunks)
            throw new SnapshotException($"\"{path}\" holds more than MaxChunks ({SnapshotLimits.MaxChunks}) chunks.");

        ImmutableArray<ChunkId>.Builder chunks = ImmutableArray.CreateBuilder<ChunkId>((int)cells);
        foreach (long offset in FileContent.CellOffsets(extents))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> cell = _cell.AsSpan(0, (int)Math.Min(_cell.Length, size - offset));
            if (Inode.ReadAt(file, cell, offset, path) < cell.Length)
                return null;

            BytesRead += cell.Length;
            chunks.Add(ChunkId.Of(cell));
        }

        return new FileContent(size, extents, chunks.MoveToImmutable());
    }
}

/// <summary>What a reader found.</summary>
/// <param name="Entry">What the inode is; null when it is gone, or was never still.</param>
/// <param name="Stamp">How it looked before it was read.</param>
/// <param name="IsStable">It looked the same afterwards.</param>
internal readonly record struct ReadInode(InodeEntry? Entry, InodeStamp Stamp, bool IsStable);
