using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Turns one tree into another, in the order that makes every step possible: what is gone or becomes something else is
/// removed, deepest first; the rest is made or changed, parents first; then directories get their attributes, deepest
/// first, because everything done in a directory moves its time. Each step may be repeated. A file whose content is not there when its turn comes is left as it is, or absent.
/// </summary>
internal sealed class TreeChange(Manifest current, Manifest wanted, ContentCheck content, TreeWriter writer)
{
    private readonly List<TreeEntry> _possible = new(wanted.Entries.Length);

    /// <summary>Inodes that were made anew, so that their further names must be linked anew.</summary>
    private readonly HashSet<TreePath> _renewed = [];

    /// <summary>Directories in which something was done.</summary>
    private readonly HashSet<TreePath> _touched = [];

    /// <summary>Entries made anew or changed.</summary>
    public int Written { get; private set; }

    /// <summary>Entries deleted.</summary>
    public int Deleted { get; private set; }

    /// <summary>Does it, and returns what the tree is then: what was wanted, as far as there was content. After an exception the tree is something in between.</summary>
    public Manifest Run(CancellationToken cancellationToken)
    {
        // spec: SNAP-93
        foreach ((TreeEntry now, TreeEntry? then) in Removals().Reverse())
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.Remove(now);
            _touched.Add(now.Path.Parent);
            Deleted += then is null ? 1 : 0;
        }

        writer.ForgetDirectory();
        foreach ((TreeEntry? now, TreeEntry? then) in ManifestComparison.Pairs(current, wanted))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (then is not null)
                MakePossible(now, then);
        }

        FinishDirectories();
        return content.Missing.IsEmpty ? wanted : Manifest.Create(_possible);
    }

    private IEnumerable<(TreeEntry Now, TreeEntry? Then)> Removals()
    {
        foreach ((TreeEntry? now, TreeEntry? then) in ManifestComparison.Pairs(current, wanted))
        {
            if (now is not null && (then is null || now is DirectoryEntry != then is DirectoryEntry))
                yield return (now, then);
        }
    }

    private void MakePossible(TreeEntry? now, TreeEntry then)
    {
        if (content.Possible(now, then) is { } entry)
        {
            _possible.Add(entry);
            Make(now, entry);
        }
        else if (now is not null and not DirectoryEntry) // a directory in its place is gone already
        {
            writer.Remove(now);
            _touched.Add(now.Path.Parent);
        }
    }

    private void Make(TreeEntry? now, TreeEntry then)
    {
        bool isEqual = ReferenceEquals(now, then) || now == then;
        bool mustLink = then is HardLinkEntry link && _renewed.Contains(link.First);
        if (isEqual && !mustLink)
            return;

        Written++;
        if (then is DirectoryEntry directory)
            MakeDirectory(now, directory);
        else if (then is HardLinkEntry hardLink)
            Link(hardLink);
        else
            MakeInode(now, (InodeEntry)then);
    }

    private void MakeDirectory(TreeEntry? now, DirectoryEntry then)
    {
        _touched.Add(then.Path);
        if (now is DirectoryEntry)
            return;

        writer.CreateDirectory(then.Path);
        _touched.Add(then.Path.Parent);
    }

    private void Link(HardLinkEntry then)
    {
        writer.Link(then);
        _touched.Add(then.Path.Parent);
    }

    private void MakeInode(TreeEntry? now, InodeEntry then)
    {
        if (IsSameButAttributes(now, then))
        {
            writer.SetAttributes(then);
            return;
        }

        if (now is FileEntry before && then is FileEntry after && writer.TryPatch(before, after))
            return;

        writer.Create(then);
        _renewed.Add(then.Path);
        _touched.Add(then.Path.Parent);
    }

    private static bool IsSameButAttributes(TreeEntry? now, InodeEntry then) =>
        now is InodeEntry before && now.Kind == then.Kind && before with { Attributes = then.Attributes } == then;

    private void FinishDirectories()
    {
        foreach (DirectoryEntry directory in wanted.Entries.Reverse().OfType<DirectoryEntry>())
        {
            if (_touched.Contains(directory.Path))
                writer.SetAttributes(directory);
        }
    }
}
