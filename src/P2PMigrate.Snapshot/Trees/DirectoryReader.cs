using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>Lists the names in a directory with their metadata. One owner: each thread of a walk has its own.</summary>
internal sealed class DirectoryReader(TreeRoot root, MountPointPolicy mountPoints, Action found)
{
    private readonly DirectoryListing _listing = new();
    private readonly List<byte[]> _names = [];

    /// <summary>Fills in what is in <paramref name="directory"/>; calls <c>found</c> before each name is kept, which may throw.</summary>
    public void Read(WalkedDirectory directory)
    {
        using SafeFileHandle? handle = root.TryOpenDirectory(directory.Path, mountPoints == MountPointPolicy.Descend);
        if (handle is null)
            return; // vanished, or became something else: reading its inode will tell

        ulong mount = Inode.Stat(handle).MountId;
        _names.Clear();
        _listing.Read(handle, directory.Path, _names);
        foreach (byte[] name in _names)
        {
            if (!directory.Path.TryAppend(name, out TreePath child))
                throw new SnapshotException($"\"{directory.Path}/{TreePath.Escape(name)}\" is longer than MaxPathLength ({SnapshotLimits.MaxPathLength} bytes).");
            if (Inode.TryStat(handle, name, child, out Statx facts))
                Add(directory, name, child, facts, mount);
        }

        directory.Sort();
    }

    private void Add(WalkedDirectory directory, byte[] name, TreePath path, in Statx facts, ulong mount)
    {
        found();
        if (root.GraftAt(path) is { } graft)
        {
            AddGraft(directory, name, path, graft);
            return;
        }

        // spec: SNAP-83
        bool isMountPoint = mountPoints != MountPointPolicy.Descend && (facts.IsMountRoot || facts.MountId != mount);
        if (isMountPoint && mountPoints == MountPointPolicy.Refuse)
            throw new SnapshotException($"Something is mounted at \"{path}\", inside the tree.");

        directory.Add(name, new WalkedName(path, facts, isMountPoint), facts.Kind == EntryKind.Directory && !isMountPoint);
    }

    /// <summary>One that is hollow is what a mount point is that is not to be looked into.</summary>
    // spec: SNAP-108
    private void AddGraft(WalkedDirectory directory, byte[] name, TreePath path, TreeGraft graft)
    {
        using SafeFileHandle? inode = root.TryOpenInode(path);
        if (inode is null)
            return; // a file that was removed; the scanner misses it

        Statx facts = Inode.Stat(inode);
        directory.Add(name, new WalkedName(path, facts, isMountPoint: graft.IsHollow), facts.Kind == EntryKind.Directory && !graft.IsHollow);
    }
}
