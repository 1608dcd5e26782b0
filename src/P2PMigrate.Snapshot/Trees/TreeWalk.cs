using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Lists every name below a root with its metadata: one <c>statx</c> for each, nothing is opened but directories.
/// One walk, one thread.
/// </summary>
internal sealed class TreeWalk(TreeRoot root, MountPointPolicy mountPoints)
{
    private readonly DirectoryListing _listing = new();
    private readonly List<byte[]> _names = [];
    private readonly Stack<TreePath> _directories = new();
    private readonly List<WalkedName> _found = [];

    /// <summary>All names, sorted by path; the root first.</summary>
    public List<WalkedName> Run(CancellationToken cancellationToken)
    {
        using (SafeFileHandle inode = root.TryOpenInode(TreePath.Root)!)
            _found.Add(new WalkedName(TreePath.Root, Inode.Stat(inode), IsMountPoint: false));
        _directories.Push(TreePath.Root);

        while (_directories.TryPop(out TreePath directory))
        {
            cancellationToken.ThrowIfCancellationRequested();
            List(directory);
        }

        _found.Sort((left, right) => left.Path.CompareTo(right.Path));
        return _found;
    }

    private void List(TreePath path)
    {
        using SafeFileHandle? directory = root.TryOpenDirectory(path, mountPoints == MountPointPolicy.Descend);
        if (directory is null)
            return; // vanished, or became something else: reading its inode will tell

        ulong mount = Inode.Stat(directory).MountId;
        _names.Clear();
        _listing.Read(directory, path, _names);
        foreach (byte[] name in _names)
        {
            if (!path.TryAppend(name, out TreePath child))
                throw new SnapshotException($"\"{path}/{TreePath.Escape(name)}\" is longer than MaxPathLength ({SnapshotLimits.MaxPathLength} bytes).");
            if (Inode.TryStat(directory, name, child, out Statx facts))
                Add(child, facts, mount);
        }
    }

    private void Add(TreePath path, in Statx facts, ulong mount)
    {
        if (_found.Count >= SnapshotLimits.MaxEntries)
            throw new SnapshotException($"The tree has more than MaxEntries ({SnapshotLimits.MaxEntries}) names.");

        // spec: SNAP-83
        bool isMountPoint = mountPoints != MountPointPolicy.Descend && (facts.IsMountRoot || facts.MountId != mount);
        if (isMountPoint && mountPoints == MountPointPolicy.Refuse)
            throw new SnapshotException($"Something is mounted at \"{path}\", inside the tree.");

        _found.Add(new WalkedName(path, facts, isMountPoint));
        if (facts.Kind == EntryKind.Directory && !isMountPoint)
            _directories.Push(path);
    }
}

/// <summary>A name that a walk came by.</summary>
internal readonly struct WalkedName
{
    public WalkedName(TreePath path, in Statx facts, bool IsMountPoint)
    {
        Path = path;
        Stamp = facts.Stamp;
        HasOtherNames = facts.Links > 1 && facts.Kind != EntryKind.Directory && !IsMountPoint;
        this.IsMountPoint = IsMountPoint;
    }

    /// <summary>The name.</summary>
    public TreePath Path { get; }

    /// <summary>What its inode looked like.</summary>
    public InodeStamp Stamp { get; }

    /// <summary>Has the inode further names, perhaps in this tree?</summary>
    public bool HasOtherNames { get; }

    /// <summary>Is something mounted here that is not to be looked into?</summary>
    public bool IsMountPoint { get; }
}
