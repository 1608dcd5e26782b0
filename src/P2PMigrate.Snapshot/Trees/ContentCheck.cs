using System.Collections.Immutable;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>What can be built of a wanted tree with the content that a store has. One owner; asked in order of the paths, once for each.</summary>
/// <param name="store">Where content is; null when all of it was found there just now, so that what is gone since is an error and no gap.</param>
internal sealed class ContentCheck(IChunkStore? store)
{
    private readonly HashSet<TreePath> _missing = [];
    private readonly HashSet<TreePath> _absent = [];

    /// <summary>Files that were found to lack content, sorted.</summary>
    public ImmutableArray<TreePath> Missing => [.. _missing.Order()];

    /// <summary>The files of a tree that lack content.</summary>
    public static ImmutableArray<TreePath> MissingIn(Manifest current, Manifest wanted, IChunkStore store)
    {
        ContentCheck check = new(store);
        foreach ((TreeEntry? now, TreeEntry? then) in ManifestComparison.Pairs(current, wanted))
        {
            if (then is not null)
                check.Possible(now, then);
        }

        return check.Missing;
    }

    /// <summary>What can be made of <paramref name="then"/>: itself; what is there <paramref name="now"/>, for a file without content; or nothing, for that and its further names.</summary>
    public TreeEntry? Possible(TreeEntry? now, TreeEntry then)
    {
        // spec: SNAP-92
        if (then is FileEntry file && !CanWrite(now, file))
        {
            _missing.Add(file.Path);
            if (now is not FileEntry)
                _absent.Add(file.Path);
            return now as FileEntry;
        }

        return then is HardLinkEntry link && _absent.Contains(link.First) ? null : then;
    }

    private bool CanWrite(TreeEntry? now, FileEntry then)
    {
        if (store is null || (now is FileEntry file && file.Content.Equals(then.Content)))
            return true;

        foreach (ChunkId chunk in then.Content.Chunks)
        {
            if (!store.Contains(chunk))
                return false;
        }

        return true;
    }
}
