using System.Text;
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

    /// <summary>The directory or file, open to be read.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens it. Throws <see cref="SnapshotException"/> when it is neither a directory nor a regular file that can be read.</summary>
    public static OpenGraft Open(TreeGraft graft)
    {
        using SafeFileHandle inode = Open(Encoding.UTF8.GetBytes(graft.Source + '\0'), OpenFlags.PathOnly, graft);
        EntryKind? kind = Inode.Stat(inode).Kind;
        if (kind is not (EntryKind.Directory or EntryKind.File))
            throw new SnapshotException($"{graft.Source} is neither a directory nor a regular file, and cannot be part of a tree.");
        bool isDirectory = kind == EntryKind.Directory;
        return new OpenGraft(graft, Reopen(inode, OpenFlags.ReadOnly | (isDirectory ? OpenFlags.Directory : OpenFlags.NonBlocking), graft), isDirectory);
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

    private static SafeFileHandle Reopen(SafeFileHandle inode, int flags, TreeGraft graft) => Open(NativeName.OfHandle(inode, stackalloc byte[NativeName.MaxName]), flags, graft);

    private static SafeFileHandle Open(ReadOnlySpan<byte> path, int flags, TreeGraft graft)
    {
        fixed (byte* bytes = path)
        {
            SafeFileHandle handle = Libc.Open(bytes, flags | OpenFlags.CloseOnExec, 0);
            return handle.IsInvalid ? throw Errno.Failure("open", graft.Source) : handle;
        }
    }
}
