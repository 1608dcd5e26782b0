using System.Text;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// A directory or regular file that is part of a tree under a name which is there already, and whose content it hides: what somebody sees there who sees the same tree with something mounted at that name.
/// </summary>
// spec: SNAP-108
public sealed record TreeGraft
{
    private TreeGraft(TreePath at, string view, bool isHollow, InodeId inode) => (At, View, IsHollow, Inode) = (at, view, isHollow, inode);

    /// <summary>The name; not the root, and inside another graft if that has it.</summary>
    public TreePath At { get; }

    /// <summary>The root directory below which the same name is what is grafted.</summary>
    public string View { get; }

    /// <summary>Only it itself is part of the tree: a directory as empty, a file as empty.</summary>
    public bool IsHollow { get; }

    /// <summary><see cref="At"/> as one writes it who sees the tree's root as his own: <c>/srv/data</c>.</summary>
    public string Path => "/" + Encoding.UTF8.GetString(At.Bytes);

    /// <summary>What is grafted now; something else under its name later is not.</summary>
    internal InodeId Inode { get; }

    /// <summary>What has the name <paramref name="at"/> below <paramref name="view"/>, through no symbolic link. Throws <see cref="SnapshotException"/> when that is neither a directory nor a regular file.</summary>
    public static TreeGraft Of(TreePath at, string view, bool isHollow = false)
    {
        using TreeRoot root = TreeRoot.Open(view);
        using var inode = root.TryOpenInode(at) ?? throw new SnapshotException($"\"{at}\" is not in {view}.");
        Statx facts = Native.Inode.Stat(inode);
        return facts.Kind is EntryKind.Directory or EntryKind.File ? new TreeGraft(at, view, isHollow, facts.Stamp.Id)
            : throw new SnapshotException($"\"{at}\" is neither a directory nor a regular file.");
    }
}
