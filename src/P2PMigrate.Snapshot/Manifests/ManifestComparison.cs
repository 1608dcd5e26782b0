using System.Globalization;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>One difference between two trees, for people.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="What">What differs: <c>mode</c>, <c>content at 131072</c>.</param>
/// <param name="Left">How it is in the first tree; <c>absent</c> when it is not there.</param>
/// <param name="Right">How it is in the second tree.</param>
public sealed record ManifestDifference(TreePath Path, string What, string Left, string Right)
{
    /// <summary>One line: <c>etc/passwd: mode is 0644 here and 0600 there</c>.</summary>
    public override string ToString() => $"{Path}: {What} is {Left} here and {Right} there";
}

/// <summary>Walks two manifests side by side.</summary>
internal static class ManifestComparison
{
    /// <summary>Entries of equal path together; a missing one is null.</summary>
    public static IEnumerable<(TreeEntry? Left, TreeEntry? Right)> Pairs(Manifest left, Manifest right)
    {
        int i = 0;
        int j = 0;
        while (i < left.Entries.Length || j < right.Entries.Length)
        {
            int order = i == left.Entries.Length ? 1
                : j == right.Entries.Length ? -1
                : left.Entries[i].Path.CompareTo(right.Entries[j].Path);
            yield return (order <= 0 ? left.Entries[i++] : null, order >= 0 ? right.Entries[j++] : null);
        }
    }

    /// <summary>All differences, by path.</summary>
    public static IEnumerable<ManifestDifference> Differences(Manifest left, Manifest right)
    {
        foreach ((TreeEntry? here, TreeEntry? there) in Pairs(left, right))
        {
            if (ReferenceEquals(here, there) || here == there)
                continue;

            TreePath path = (here ?? there)!.Path;
            foreach ((string what, string first, string second) in Differences(here, there))
                yield return new ManifestDifference(path, what, first, second);
        }
    }

    private static IEnumerable<(string What, string Left, string Right)> Differences(TreeEntry? left, TreeEntry? right)
    {
        if (left is null || right is null || left.Kind != right.Kind)
            return [("it", Describe(left), Describe(right))];

        if (left is not InodeEntry here || right is not InodeEntry there)
            return [("link to", $"{(left as HardLinkEntry)?.First}", $"{(right as HardLinkEntry)?.First}")];

        IEnumerable<(string, string, string)> all = AttributeDifferences(here.Attributes, there.Attributes);
        return (left, right) switch
        {
            (FileEntry a, FileEntry b) => all.Concat(ContentDifferences(a.Content, b.Content)),
            (SymlinkEntry a, SymlinkEntry b) when a.Target != b.Target => all.Append(("target", a.Target.ToString(), b.Target.ToString())),
            (DeviceEntry a, DeviceEntry b) when (a.Major, a.Minor) != (b.Major, b.Minor) =>
                all.Append(("device", $"{a.Major}:{a.Minor}", $"{b.Major}:{b.Minor}")),
            _ => all,
        };
    }

    private static IEnumerable<(string What, string Left, string Right)> AttributeDifferences(InodeAttributes left, InodeAttributes right)
    {
        if (left.Mode != right.Mode)
            yield return ("mode", Octal(left.Mode), Octal(right.Mode));
        if ((left.Uid, left.Gid) != (right.Uid, right.Gid))
            yield return ("owner", $"{left.Uid}:{left.Gid}", $"{right.Uid}:{right.Gid}");
        if (left.ModifiedAt != right.ModifiedAt)
            yield return ("modification time", left.ModifiedAt.ToString(), right.ModifiedAt.ToString());

        foreach (ByteString name in left.Xattrs.Items.Concat(right.Xattrs.Items).Select(xattr => xattr.Name).Distinct())
        {
            string here = Describe(left.Xattrs, name);
            string there = Describe(right.Xattrs, name);
            if (here != there)
                yield return ($"extended attribute {name}", here, there);
        }
    }

    private static IEnumerable<(string What, string Left, string Right)> ContentDifferences(FileContent left, FileContent right)
    {
        if (left.Size != right.Size)
            yield return ("size", Text(left.Size), Text(right.Size));
        else if (!left.Extents.AsSpan().SequenceEqual(right.Extents.AsSpan()))
            yield return ("where it has data", Describe(left.Extents), Describe(right.Extents));

        foreach ((FileCell here, FileCell there) in left.Cells.Zip(right.Cells))
        {
            if (here == there)
                continue;
            yield return ($"content at {Text(here.Offset)}", here.Chunk.ToString()[..16], there.Chunk.ToString()[..16]);
            yield break;
        }
    }

    private static string Describe(TreeEntry? entry) => entry switch
    {
        null => "absent",
        HardLinkEntry link => $"hard link to {link.First}",
        _ => $"{entry.Kind}",
    };

    private static string Describe(XattrSet xattrs, ByteString name) =>
        xattrs.TryGet(name, out ByteString value) ? $"0x{Convert.ToHexStringLower(value.Span)}" : "absent";

    private static string Describe(IEnumerable<FileExtent> extents) =>
        string.Join(' ', extents.Take(8).Select(extent => $"{Text(extent.Offset)}+{Text(extent.Length)}"));

    private static string Octal(uint mode) => $"0{Convert.ToString(mode, 8)}";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
