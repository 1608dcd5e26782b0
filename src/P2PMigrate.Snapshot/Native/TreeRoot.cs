using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Native;

/// <summary>
/// The root of a tree and the only door to what is below: every path is resolved by the kernel beneath the root, or beneath the graft that has it, and
/// through no symlink, so nothing outside can be reached, whatever the tree or a manifest holds. Any thread.
/// </summary>
internal sealed unsafe class TreeRoot : IDisposable
{
    // spec: SNAP-91
    private const ResolveFlags Inside = ResolveFlags.Beneath | ResolveFlags.NoSymlinks | ResolveFlags.NoMagicLinks;

    private readonly SafeFileHandle _root;
    private readonly List<OpenGraft> _grafts = [];

    private TreeRoot(SafeFileHandle root) => _root = root;

    /// <summary>Opens a directory. Throws <see cref="SnapshotException"/> when that cannot be.</summary>
    public static TreeRoot Open(string path)
    {
        SafeFileHandle root;
        fixed (byte* bytes = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
            root = Libc.Open(bytes, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.CloseOnExec, 0);
        return root.IsInvalid ? throw Errno.Failure("open directory", path) : new TreeRoot(root);
    }

    /// <summary>Opens a directory with its grafts, to be read.</summary>
    public static TreeRoot Open(TreeLocation location)
    {
        TreeRoot root = Open(location.Root);
        try
        {
            foreach (TreeGraft graft in location.Grafts.OrderByDescending(graft => graft.At.Bytes.Length)) // the innermost is found first
                root._grafts.Add(OpenGraft.Open(graft));
            return root;
        }
        catch
        {
            root.Dispose();
            throw;
        }
    }

    /// <summary>The file systems of it and its grafts, by their devices, that do not show writes through mappings in the ctime.</summary>
    public IReadOnlySet<ulong> DevicesWithHiddenWrites => FileSystems.Where(directory => !ShowsMappedWrites(directory)).Select(directory => Inode.Stat(directory).Stamp.Id.Device).ToHashSet();

    /// <summary>A handle that stands for the inode at <paramref name="path"/>, symlink or whatever; null when there is none.</summary>
    public SafeFileHandle? TryOpenInode(TreePath path) => TryOpen(path, OpenFlags.PathOnly | OpenFlags.NoFollow, Inside);

    /// <summary>A directory to be read; null when there is none by that name, or only on another mount that is not to be entered.</summary>
    public SafeFileHandle? TryOpenDirectory(TreePath path, bool crossMounts) =>
        TryOpen(path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, crossMounts ? Inside : Inside | ResolveFlags.NoCrossDevice);

    /// <summary>A regular file to be read, or null when there is none. What else has that name is not opened.</summary>
    public SafeFileHandle? TryOpenFile(TreePath path)
    {
        using SafeFileHandle? inode = TryOpenInode(path);
        return inode is not null && Inode.Stat(inode).Kind == EntryKind.File ? Inode.TryOpenToRead(inode) : null;
    }

    /// <summary>Is something grafted at exactly this name, and what?</summary>
    public TreeGraft? GraftAt(TreePath path) => _grafts.Count == 0 ? null : _grafts.Find(open => open.Graft.At == path)?.Graft;

    /// <summary>Writes to the disk what is dirty in memory.</summary>
    public void Sync()
    {
        foreach (SafeFileHandle directory in FileSystems)
            Errno.Check(Libc.SyncFs(directory), "write back the file system of", TreePath.Root);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _root.Dispose();
        _grafts.ForEach(graft => graft.Dispose());
    }

    /// <summary>One handle on each; of hollow grafts nothing is read.</summary>
    private IEnumerable<SafeFileHandle> FileSystems => _grafts.Where(open => !open.Graft.IsHollow).Select(open => open.Handle).Prepend(_root).DistinctBy(handle => Inode.Stat(handle).Stamp.Id.Device);

    private static bool ShowsMappedWrites(SafeFileHandle directory)
    {
        FileSystemFacts facts;
        Errno.Check(Libc.FStatFs(directory, &facts), "look at the file system of", TreePath.Root);
        return facts.ShowsMappedWrites;
    }

    private SafeFileHandle? TryOpen(TreePath path, int flags, ResolveFlags resolve)
    {
        SafeFileHandle handle = _grafts.Count > 0 && _grafts.Find(open => open.Holds(path)) is { } graft ? graft.TryOpen(path, flags, resolve) : TryOpenBelow(path, flags, resolve);
        if (!handle.IsInvalid)
            return handle;

        handle.Dispose();
        return Errno.IsVanished(Errno.Last) ? null : throw Errno.Failure("open", path);
    }

    private SafeFileHandle TryOpenBelow(TreePath path, int flags, ResolveFlags resolve)
    {
        fixed (byte* name = NativeName.Of(path.IsRoot ? "."u8 : path.Bytes, stackalloc byte[NativeName.MaxPath]))
            return Libc.OpenAt2(_root, name, flags | OpenFlags.CloseOnExec, resolve);
    }
}
