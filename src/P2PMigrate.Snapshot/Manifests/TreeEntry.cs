namespace P2PMigrate.Snapshot.Manifests;

/// <summary>One name in a tree. Immutable; equal when everything that the target must reproduce is equal. Chapter 10, section 2.</summary>
/// <param name="Path">Where it is.</param>
public abstract record TreeEntry(TreePath Path)
{
    private byte[]? _digest;

    /// <summary>Copies all but the cached digest.</summary>
    protected TreeEntry(TreeEntry original) => Path = original.Path;

    /// <summary>What it is.</summary>
    public abstract EntryKind Kind { get; }

    /// <summary>SHA-256 of the canonical encoding, computed once.</summary>
    internal ReadOnlySpan<byte> Digest => _digest ??= EntryCodec.Digest(this);

    /// <inheritdoc/>
    public virtual bool Equals(TreeEntry? other) => other is not null && EqualityContract == other.EqualityContract && Path == other.Path;

    /// <inheritdoc/>
    public override int GetHashCode() => Path.GetHashCode();
}

/// <summary>A further name of what the entry at <paramref name="First"/> describes.</summary>
/// <param name="Path">This name.</param>
/// <param name="First">The bytewise first name of the same inode; its entry is an <see cref="InodeEntry"/>.</param>
public sealed record HardLinkEntry(TreePath Path, TreePath First) : TreeEntry(Path)
{
    /// <inheritdoc/>
    public override EntryKind Kind => EntryKind.HardLink;
}

/// <summary>A name that describes its inode: everything but a further hard link.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, mode, time, extended attributes.</param>
public abstract record InodeEntry(TreePath Path, InodeAttributes Attributes) : TreeEntry(Path);

/// <summary>A directory; what is in it has entries of its own.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, mode, time, extended attributes.</param>
public sealed record DirectoryEntry(TreePath Path, InodeAttributes Attributes) : InodeEntry(Path, Attributes)
{
    /// <inheritdoc/>
    public override EntryKind Kind => EntryKind.Directory;
}

/// <summary>A regular file.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, mode, time, extended attributes.</param>
/// <param name="Content">Its size, where it has data, and the data's digests.</param>
public sealed record FileEntry(TreePath Path, InodeAttributes Attributes, FileContent Content) : InodeEntry(Path, Attributes)
{
    /// <inheritdoc/>
    public override EntryKind Kind => EntryKind.File;
}

/// <summary>A symbolic link. What it points to is never followed.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, time, extended attributes; the mode of a symlink means nothing.</param>
/// <param name="Target">What it points to, as it stands; any bytes but NUL.</param>
public sealed record SymlinkEntry(TreePath Path, InodeAttributes Attributes, ByteString Target) : InodeEntry(Path, Attributes)
{
    /// <inheritdoc/>
    public override EntryKind Kind => EntryKind.Symlink;
}

/// <summary>A character or block device node.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, mode, time, extended attributes.</param>
/// <param name="IsBlock">Block device, else character device.</param>
/// <param name="Major">Major number.</param>
/// <param name="Minor">Minor number.</param>
public sealed record DeviceEntry(TreePath Path, InodeAttributes Attributes, bool IsBlock, uint Major, uint Minor) : InodeEntry(Path, Attributes)
{
    /// <inheritdoc/>
    public override EntryKind Kind => IsBlock ? EntryKind.BlockDevice : EntryKind.CharacterDevice;
}

/// <summary>A fifo.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, mode, time, extended attributes.</param>
public sealed record FifoEntry(TreePath Path, InodeAttributes Attributes) : InodeEntry(Path, Attributes)
{
    /// <inheritdoc/>
    public override EntryKind Kind => EntryKind.Fifo;
}

/// <summary>The name of a Unix socket. Whoever listened on it is not part of the tree.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Attributes">Owner, mode, time, extended attributes.</param>
public sealed record SocketEntry(TreePath Path, InodeAttributes Attributes) : InodeEntry(Path, Attributes)
{
    /// <inheritdoc/>
    public override EntryKind Kind => EntryKind.Socket;
}

/// <summary>What a <see cref="TreeEntry"/> is. The numbers are those of the wire.</summary>
public enum EntryKind
{
    /// <summary>A directory.</summary>
    Directory = 1,

    /// <summary>A regular file.</summary>
    File = 2,

    /// <summary>A symbolic link.</summary>
    Symlink = 3,

    /// <summary>A character device node.</summary>
    CharacterDevice = 4,

    /// <summary>A block device node.</summary>
    BlockDevice = 5,

    /// <summary>A fifo.</summary>
    Fifo = 6,

    /// <summary>The name of a Unix socket.</summary>
    Socket = 7,

    /// <summary>A further name of another entry's inode.</summary>
    HardLink = 8,
}
