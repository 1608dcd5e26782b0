using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// The single steps by which a tree is changed. What is not a directory is made complete under a temporary name and then
/// renamed, so that a name never leads to half a thing. All through handles of directories beneath the root. One owner.
/// </summary>
internal sealed unsafe class TreeWriter(TreeRoot root, IChunkStore store, CancellationToken cancellationToken) : IDisposable
{
    private const uint PrivateMode = 0x1C0;     // 0700, until the attributes are set
    private const uint PrivateFileMode = 0x180; // 0600

    private readonly AttributeWriter _attributes = new();
    private readonly FileWriter _files = new(store, cancellationToken);
    private TreePath _openPath;
    private SafeFileHandle? _open;

    /// <summary>Bytes of file content written so far.</summary>
    public long BytesWritten => _files.BytesWritten;

    /// <inheritdoc/>
    public void Dispose() => _open?.Dispose();

    /// <summary>Forgets the directory that is kept open: it may have been removed.</summary>
    public void ForgetDirectory()
    {
        _open?.Dispose();
        _open = null;
    }

    /// <summary>Removes an entry; a directory must be empty by now. What is already gone is fine.</summary>
    public void Remove(TreeEntry entry) => Remove(entry.Path, entry is DirectoryEntry);

    /// <summary>Makes a directory that nobody else may look into yet.</summary>
    public void CreateDirectory(TreePath path)
    {
        fixed (byte* name = NativeName.Of(path.Name, stackalloc byte[NativeName.MaxName]))
            Errno.Check(Libc.MkDirAt(Directory(path.Parent), name, PrivateMode), "make the directory", path);
    }

    /// <summary>Gives an entry that is there the attributes it should have.</summary>
    public void SetAttributes(InodeEntry entry)
    {
        using SafeFileHandle inode = root.TryOpenInode(entry.Path) ?? throw Errno.Failure("find", entry.Path);
        _attributes.Write(inode, entry);
    }

    /// <summary>Changes a large file where it differs, in place; false when making it anew is better.</summary>
    public bool TryPatch(FileEntry before, FileEntry after)
    {
        if (!FilePatch.IsWorthwhile(before.Content, after.Content))
            return false;

        using SafeFileHandle inode = root.TryOpenInode(after.Path) ?? throw Errno.Failure("find", after.Path);
        if (!_files.TryPatch(inode, before, after))
            return false;

        _attributes.Write(inode, after);
        return true;
    }

    /// <summary>Makes an inode complete and puts it in the place of whatever has its name.</summary>
    public void Create(InodeEntry entry)
    {
        // spec: SNAP-94
        SafeFileHandle directory = Directory(entry.Path.Parent);
        fixed (byte* temporary = TemporaryName())
        fixed (byte* name = NativeName.Of(entry.Path.Name, stackalloc byte[NativeName.MaxName]))
        {
            try
            {
                using SafeFileHandle inode = CreateInode(directory, temporary, entry);
                _attributes.Write(inode, entry);
                Errno.Check(Libc.RenameAt(directory, temporary, directory, name), "put in place", entry.Path);
            }
            catch
            {
                _ = Libc.UnlinkAt(directory, temporary, 0);
                throw;
            }
        }
    }

    /// <summary>Makes a further name of an inode, in the place of whatever has that name.</summary>
    public void Link(HardLinkEntry entry)
    {
        Remove(entry.Path, isDirectory: false); // renaming one link over another of the same inode does nothing
        using SafeFileHandle source = OpenDirectory(entry.First.Parent);
        fixed (byte* first = NativeName.Of(entry.First.Name, stackalloc byte[NativeName.MaxName]))
        fixed (byte* name = NativeName.Of(entry.Path.Name, stackalloc byte[NativeName.MaxName]))
            Errno.Check(Libc.LinkAt(source, first, Directory(entry.Path.Parent), name, 0), "make the hard link", entry.Path);
    }

    private void Remove(TreePath path, bool isDirectory)
    {
        fixed (byte* name = NativeName.Of(path.Name, stackalloc byte[NativeName.MaxName]))
        {
            if (Libc.UnlinkAt(Directory(path.Parent), name, isDirectory ? Libc.AtRemoveDir : 0) < 0 && Errno.Last != Errno.NoEntry)
                throw Errno.Failure("remove", path);
        }
    }

    private SafeFileHandle CreateInode(SafeFileHandle directory, byte* name, InodeEntry entry)
    {
        if (entry is FileEntry file)
            return CreateFile(directory, name, file);

        long result = entry switch
        {
            SymlinkEntry symlink => Symlink(symlink.Target, directory, name),
            DeviceEntry { IsBlock: true } device => Libc.MkNodAt(directory, name, InodeType.BlockDevice | PrivateFileMode, DeviceNumber(device)),
            DeviceEntry device => Libc.MkNodAt(directory, name, InodeType.CharacterDevice | PrivateFileMode, DeviceNumber(device)),
            FifoEntry => Libc.MkNodAt(directory, name, InodeType.Fifo | PrivateFileMode, 0),
            SocketEntry => Libc.MkNodAt(directory, name, InodeType.Socket | PrivateFileMode, 0),
            _ => throw new InvalidOperationException($"{entry.Kind} is no inode that is made here"),
        };
        Errno.Check(result, $"make the {entry.Kind}", entry.Path);
        return Check(Libc.OpenAt(directory, name, OpenFlags.PathOnly | OpenFlags.NoFollow | OpenFlags.CloseOnExec, 0), entry.Path);
    }

    private SafeFileHandle CreateFile(SafeFileHandle directory, byte* name, FileEntry entry)
    {
        int flags = OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.ReadWrite | OpenFlags.NoFollow | OpenFlags.CloseOnExec;
        SafeFileHandle file = Check(Libc.OpenAt(directory, name, flags, PrivateFileMode), entry.Path);
        try
        {
            _files.Write(file, entry);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static int Symlink(ByteString target, SafeFileHandle directory, byte* name)
    {
        fixed (byte* bytes = NativeName.Of(target.Span, stackalloc byte[NativeName.MaxPath]))
            return Libc.SymlinkAt(bytes, directory, name);
    }

    /// <summary>The kernel's 64-bit <c>dev_t</c>.</summary>
    private static ulong DeviceNumber(DeviceEntry device) =>
        ((ulong)(device.Major & 0xFFFFF000) << 32) | ((ulong)(device.Major & 0xFFF) << 8)
        | ((ulong)(device.Minor & 0xFFFFFF00) << 12) | (device.Minor & 0xFF);

    /// <summary>The handle of a directory; the last one stays open, because siblings follow each other.</summary>
    private SafeFileHandle Directory(TreePath path)
    {
        if (_open is null || path != _openPath)
        {
            ForgetDirectory();
            _open = OpenDirectory(path);
            _openPath = path;
        }

        return _open;
    }

    private SafeFileHandle OpenDirectory(TreePath path) =>
        root.TryOpenDirectory(path, crossMounts: false)
        ?? throw new SnapshotException($"\"{path}\" is no directory of this tree any more; somebody else writes into it.");

    private static ReadOnlySpan<byte> TemporaryName() =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $".p2pmigrate-{Random.Shared.NextInt64():x16}\0"));

    private static SafeFileHandle Check(SafeFileHandle handle, TreePath path) =>
        handle.IsInvalid ? throw Errno.Failure("make", path) : handle;
}
