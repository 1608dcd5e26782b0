using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Native;

/// <summary>Reads all extended attributes of an inode. One owner; its buffers are used again.</summary>
internal sealed unsafe class XattrReader
{
    private readonly byte[] _names = new byte[64 * 1024];  // XATTR_LIST_MAX: the kernel never has more
    private readonly byte[] _value = new byte[SnapshotLimits.MaxXattrValueLength];

    /// <summary>The attributes that this process may see. Without privileges, <c>trusted.*</c> is not among them.</summary>
    public XattrSet Read(SafeFileHandle inode, TreePath path)
    {
        fixed (byte* name = NativeName.OfHandle(inode, stackalloc byte[NativeName.MaxName]))
        fixed (byte* names = _names)
        {
            nint length = Libc.ListXattr(name, names, (nuint)_names.Length);
            if (length == 0 || (length < 0 && Errno.Last == Errno.NotSupported))
                return XattrSet.Empty;

            Errno.Check(length, "list the extended attributes of", path);
            return Read(name, _names.AsSpan(0, (int)length), path);
        }
    }

    private XattrSet Read(byte* path, ReadOnlySpan<byte> names, TreePath treePath)
    {
        List<Xattr> xattrs = [];
        while (!names.IsEmpty)
        {
            ReadOnlySpan<byte> name = names[..names.IndexOf((byte)0)];
            if (TryReadValue(path, name, treePath, out ByteString value))
                xattrs.Add(new Xattr(new ByteString(name), value));
            names = names[(name.Length + 1)..];
        }

        XattrSet set = XattrSet.Of(xattrs);
        return XattrRules.FindViolation(set.Items.AsSpan()) is { } reason
            ? throw new SnapshotException($"\"{treePath}\" cannot be described: {reason}.")
            : set;
    }

    private bool TryReadValue(byte* path, ReadOnlySpan<byte> name, TreePath treePath, out ByteString value)
    {
        value = default;
        fixed (byte* nameBytes = name) // the list holds the NUL behind it
        fixed (byte* buffer = _value)
        {
            nint length = Libc.GetXattr(path, nameBytes, buffer, (nuint)_value.Length);
            if (length < 0 && Errno.Last == Errno.NoData)
                return false; // removed since it was listed

            Errno.Check(length, $"read the extended attribute {TreePath.Escape(name)} of", treePath);
            value = new ByteString(_value.AsSpan(0, (int)length));
            return true;
        }
    }
}
