namespace P2PMigrate.Snapshot.Manifests;

/// <summary>Which lists of extended attributes can be those of an inode.</summary>
internal static class XattrRules
{
    /// <summary>The first rule that <paramref name="xattrs"/> break, or null.</summary>
    public static string? FindViolation(ReadOnlySpan<Xattr> xattrs)
    {
        // spec: SNAP-04
        if (xattrs.Length > SnapshotLimits.MaxXattrs)
            return "there are more than MaxXattrs extended attributes";

        int length = 0;
        for (int index = 0; index < xattrs.Length; index++)
        {
            Xattr xattr = xattrs[index];
            if (!IsName(xattr.Name.Span))
                return "the name of an extended attribute is empty, holds a NUL, has no namespace or is longer than MaxXattrNameLength";
            if (xattr.Value.Length > SnapshotLimits.MaxXattrValueLength)
                return $"extended attribute {xattr.Name} is longer than MaxXattrValueLength";
            if (index > 0 && xattr.Name <= xattrs[index - 1].Name)
                return $"extended attribute {xattr.Name} is out of order or listed twice";
            length += xattr.Name.Length + xattr.Value.Length;
        }

        return length > SnapshotLimits.MaxXattrsLength ? "the extended attributes are longer than MaxXattrsLength together" : null;
    }

    private static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length <= SnapshotLimits.MaxXattrNameLength && name.IndexOf((byte)'.') > 0 && !name.Contains((byte)0);
}
