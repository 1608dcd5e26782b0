using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Sets the attributes of an inode in the one order that keeps them all: the owner first, because changing it clears
/// set-user-id bits and capabilities; extended attributes, because an ACL changes the mode; the mode; the time last.
/// </summary>
internal sealed unsafe class AttributeWriter
{
    private readonly XattrReader _reader = new();

    /// <summary>Gives <paramref name="inode"/> the attributes of <paramref name="entry"/> and no others.</summary>
    public void Write(SafeFileHandle inode, InodeEntry entry)
    {
        // spec: SNAP-95
        TreePath path = entry.Path;
        InodeAttributes attributes = entry.Attributes;
        byte empty = 0;
        fixed (byte* name = NativeName.OfHandle(inode, stackalloc byte[NativeName.MaxName]))
        {
            Errno.Check(Libc.FChownAt(inode, &empty, attributes.Uid, attributes.Gid, Libc.AtEmptyPath), "change the owner of", path);
            WriteXattrs(inode, name, attributes.Xattrs, path);
            if (entry is not SymlinkEntry)
                Errno.Check(Libc.ChMod(name, attributes.Mode), "change the mode of", path);
        }

        UnixTime modifiedAt = attributes.ModifiedAt;
        TimeSpec* times = stackalloc TimeSpec[] { new(0, TimeSpec.Omit), new(modifiedAt.Seconds, modifiedAt.Nanoseconds) };
        Errno.Check(Libc.UtimeNsAt(inode, &empty, times, Libc.AtEmptyPath), "set the time of", path);
    }

    private void WriteXattrs(SafeFileHandle inode, byte* path, XattrSet wanted, TreePath treePath)
    {
        XattrSet current = _reader.Read(inode, treePath);
        foreach (Xattr xattr in current.Items)
        {
            if (!wanted.TryGet(xattr.Name, out _))
                Remove(path, xattr.Name, treePath);
        }

        foreach (Xattr xattr in wanted.Items)
        {
            if (!current.TryGet(xattr.Name, out ByteString value) || value != xattr.Value)
                Set(path, xattr, treePath);
        }
    }

    private static void Remove(byte* path, ByteString xattr, TreePath treePath)
    {
        fixed (byte* name = NativeName.Of(xattr.Span, stackalloc byte[NativeName.MaxName]))
            Errno.Check(Libc.RemoveXattr(path, name), $"remove the extended attribute {xattr} of", treePath);
    }

    private static void Set(byte* path, Xattr xattr, TreePath treePath)
    {
        fixed (byte* name = NativeName.Of(xattr.Name.Span, stackalloc byte[NativeName.MaxName]))
        fixed (byte* value = xattr.Value.Span)
        {
            long result = Libc.SetXattr(path, name, value, (nuint)xattr.Value.Length, 0);
            Errno.Check(result, $"set the extended attribute {xattr.Name} of", treePath);
        }
    }
}
