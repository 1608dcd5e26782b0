using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>What makes a list of entries a tree. Single entries are already sound; see <see cref="EntryCodec"/>.</summary>
internal static class ManifestRules
{
    /// <summary>The first rule that sorted <paramref name="entries"/> break, or null.</summary>
    public static string? FindViolation(ReadOnlySpan<TreeEntry> entries)
    {
        if (entries.IsEmpty)
            return null;

        if (entries.Length > SnapshotLimits.MaxEntries)
            return $"there are more than MaxEntries ({SnapshotLimits.MaxEntries}) entries";

        // spec: SNAP-11
        if (entries[0] is not DirectoryEntry { Path.IsRoot: true })
            return "the first entry is not the root directory";

        long chunks = 0;
        TreePath parent = TreePath.Root; // siblings follow each other, so this is nearly always the one
        for (int index = 1; index < entries.Length; index++)
        {
            // spec: SNAP-10
            if (entries[index].Path <= entries[index - 1].Path)
                return $"\"{entries[index].Path}\" is out of order or listed twice";
            if (FindViolation(entries, index, ref parent) is { } reason)
                return reason;
            if (entries[index] is FileEntry file)
                chunks += file.Content.Chunks.Length;
        }

        return chunks > SnapshotLimits.MaxChunks ? $"there are more than MaxChunks ({SnapshotLimits.MaxChunks}) chunks" : null;
    }

    /// <summary>The index of <paramref name="path"/> among sorted <paramref name="entries"/>, or a negative number.</summary>
    public static int Find(ReadOnlySpan<TreeEntry> entries, ReadOnlySpan<byte> path)
    {
        int low = 0;
        int high = entries.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int order = entries[middle].Path.Bytes.SequenceCompareTo(path);
            if (order == 0)
                return middle;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return -1;
    }

    private static string? FindViolation(ReadOnlySpan<TreeEntry> entries, int index, ref TreePath knownParent)
    {
        // spec: SNAP-11
        TreeEntry entry = entries[index];
        ReadOnlySpan<byte> path = entry.Path.Bytes;
        ReadOnlySpan<byte> parent = path[..Math.Max(0, path.LastIndexOf((byte)'/'))];
        if (!parent.SequenceEqual(knownParent.Bytes))
        {
            if (!TryFind(entries[..index], parent, out TreeEntry? directory) || directory is not DirectoryEntry)
                return $"\"{entry.Path}\" is not in a directory of the manifest";
            knownParent = directory.Path;
        }

        // spec: SNAP-07
        if (entry is HardLinkEntry link
            && (!TryFind(entries[..index], link.First.Bytes, out TreeEntry? first) || first is HardLinkEntry or DirectoryEntry))
        {
            return $"\"{entry.Path}\" is a hard link to \"{link.First}\", which is no earlier entry that can have one";
        }

        return null;
    }

    private static bool TryFind(ReadOnlySpan<TreeEntry> entries, ReadOnlySpan<byte> path, [NotNullWhen(true)] out TreeEntry? entry)
    {
        int index = Find(entries, path);
        entry = index >= 0 ? entries[index] : null;
        return entry is not null;
    }
}
