using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Native;

/// <summary>A graft, held by its inode: whoever gives its name to something else meanwhile does not change what is in the tree.</summary>
internal sealed unsafe class OpenGraft : IDisposable
{
    private readonly bool _isDirectory;

    private OpenGraft(TreeGraft graft, SafeFileHandle handle, bool isDirectory) => (Graft, Handle, _isDirectory) = (graft, handle, isDirectory);

    /// <summary>What it is.</summary>
    public TreeGraft Graft { get; }

    /// <summary>The directory or file: open to be read, unless it is hollow.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens it. Throws <see cref="SnapshotException"/> when it cannot be read, or is not what it was.</summary>
    public static OpenGraft Open(TreeGraft graft)
    {
        using TreeRoot view = TreeRoot.Open(graft.View);
        using SafeFileHandle? inode = view.TryOpenInode(graft.At);
        if (inode is null || Inode.Stat(inode).Stamp.Id != graft.Inode)
            throw new SnapshotException($"\"{graft.At}\" is not what it was when it was looked at.");
        bool isDirectory = Inode.Stat(inode).Kind == EntryKind.Directory;
        int flags = graft.IsHollow ? OpenFlags.PathOnly : OpenFlags.ReadOnly | OpenFlags.NonBlocking;
        return new OpenGraft(graft, Reopen(inode, isDirectory ? flags | OpenFlags.Directory : flags, graft), isDirectory);
    }

    /// <summary>Is the name it, or below it?</summary>
    public bool Holds(TreePath path) =>
        path.Bytes.StartsWith(Graft.At.Bytes) && (path.Bytes.Length == Graft.At.Bytes.Length || path.Bytes[Graft.At.Bytes.Length] == (byte)'/');

    /// <summary>Opens a name that it <see cref="Holds"/>; invalid, with the error set, when there is none. A file is opened as an inode only.</summary>
    public SafeFileHandle TryOpen(TreePath path, int flags, ResolveFlags resolve)
    {
        bool isItself = path.Bytes.Length == Graft.At.Bytes.Length;
        if (!_isDirectory && isItself && (flags & OpenFlags.Directory) == 0)
            return Reopen(Handle, OpenFlags.PathOnly, Graft);
        // Of a file the kernel says what is wrong with a name below it.
        fixed (byte* name = NativeName.Of(isItself ? "."u8 : path.Bytes[(Graft.At.Bytes.Length + 1)..], stackalloc byte[NativeName.MaxPath]))
            return Libc.OpenAt2(Handle, name, flags | OpenFlags.CloseOnExec, resolve);
    }

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    private static SafeFileHandle Reopen(SafeFileHandle inode, int flags, TreeGraft graft)
    {
        fixed (byte* path = NativeName.OfHandle(inode, stackalloc byte[NativeName.MaxName]))
        {
            SafeFileHandle handle = Libc.Open(path, flags | OpenFlags.CloseOnExec, 0);
            return handle.IsInvalid ? throw Errno.Failure("open", graft.At) : handle;
        }
    }
}
