using System.Collections.Immutable;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// How much of a wanted tree can be built with the content that a store has.
/// </summary>
/// <param name="Possible">The wanted tree, in which a file without content is as it is now, or absent together with its further links.</param>
/// <param name="Missing">Files that lack content, sorted.</param>
internal sealed record ContentCheck(Manifest Possible, ImmutableArray<TreePath> Missing)
{
    /// <summary>Looks through all files that differ.</summary>
    public static ContentCheck Of(Manifest current, Manifest wanted, IChunkStore store)
    {
        // spec: SNAP-92
        HashSet<TreePath> missing = [];
        HashSet<TreePath> absent = [];
        List<TreeEntry> possible = new(wanted.Entries.Length);
        foreach ((TreeEntry? now, TreeEntry? then) in ManifestComparison.Pairs(current, wanted))
        {
            if (then is FileEntry file && !CanWrite(now, file, store))
            {
                missing.Add(file.Path);
                if (now is FileEntry)
                    possible.Add(now);
                else
                    absent.Add(file.Path);
            }
            else if (then is not null && !(then is HardLinkEntry link && absent.Contains(link.First)))
            {
                possible.Add(then);
            }
        }

        return missing.Count == 0
            ? new ContentCheck(wanted, [])
            : new ContentCheck(Manifest.Create(possible), [.. missing.Order()]);
    }

    private static bool CanWrite(TreeEntry? now, FileEntry then, IChunkStore store)
    {
        if (now is FileEntry file && file.Content.Equals(then.Content))
            return true;

        foreach (ChunkId chunk in then.Content.Chunks)
        {
            if (!store.Contains(chunk))
                return false;
        }

        return true;
    }
}
