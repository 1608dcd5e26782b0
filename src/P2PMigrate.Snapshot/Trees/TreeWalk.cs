using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Lists every name below a root with its metadata, in bytewise order of the paths: one <c>statx</c> for each, nothing is
/// opened but directories. One walk, one thread.
/// </summary>
/// <remarks>
/// Bytewise order is nearly that of a depth-first walk: what is in <c>a</c> follows <c>a</c>, but after <c>a-b</c>, because
/// '-' comes before '/'. So each directory is a sorted list of steps in which a subdirectory stands twice: as itself under
/// its name, and as what is in it under its name and a '/'.
/// </remarks>
internal sealed class TreeWalk(TreeRoot root, MountPointPolicy mountPoints)
{
    private readonly DirectoryListing _listing = new();
    private readonly List<byte[]> _names = [];
    private int _count;

    /// <summary>All names; the root first.</summary>
    public IEnumerable<WalkedName> Run()
    {
        yield return new WalkedName(TreePath.Root, StatRoot(), isMountPoint: false);

        Stack<Queue<Step>> directories = new([List(TreePath.Root)]);
        while (directories.TryPeek(out Queue<Step>? steps))
        {
            if (!steps.TryDequeue(out Step step))
                directories.Pop();
            else if (step.IsInside)
                directories.Push(List(step.Name.Path));
            else
                yield return step.Name;
        }
    }

    private Statx StatRoot()
    {
        using SafeFileHandle inode = root.TryOpenInode(TreePath.Root)!;
        return Inode.Stat(inode);
    }

    private Queue<Step> List(TreePath path)
    {
        List<Step> steps = [];
        using SafeFileHandle? directory = root.TryOpenDirectory(path, mountPoints == MountPointPolicy.Descend);
        if (directory is null)
            return new(steps); // vanished, or became something else: reading its inode will tell

        ulong mount = Inode.Stat(directory).MountId;
        _names.Clear();
        _listing.Read(directory, path, _names);
        foreach (byte[] name in _names)
        {
            if (!path.TryAppend(name, out TreePath child))
                throw new SnapshotException($"\"{path}/{TreePath.Escape(name)}\" is longer than MaxPathLength ({SnapshotLimits.MaxPathLength} bytes).");
            if (Inode.TryStat(directory, name, child, out Statx facts))
                Add(steps, name, child, facts, mount);
        }

        steps.Sort((left, right) => left.Key.AsSpan().SequenceCompareTo(right.Key));
        return new(steps);
    }

    private void Add(List<Step> steps, byte[] name, TreePath path, in Statx facts, ulong mount)
    {
        if (++_count >= SnapshotLimits.MaxEntries)
            throw new SnapshotException($"The tree has more than MaxEntries ({SnapshotLimits.MaxEntries}) names.");

        // spec: SNAP-83
        bool isMountPoint = mountPoints != MountPointPolicy.Descend && (facts.IsMountRoot || facts.MountId != mount);
        if (isMountPoint && mountPoints == MountPointPolicy.Refuse)
            throw new SnapshotException($"Something is mounted at \"{path}\", inside the tree.");

        WalkedName walked = new(path, facts, isMountPoint);
        steps.Add(new Step(name, walked, IsInside: false));
        if (facts.Kind == EntryKind.Directory && !isMountPoint)
            steps.Add(new Step([.. name, (byte)'/'], walked, IsInside: true));
    }

    /// <param name="Key">Where it comes among its siblings.</param>
    /// <param name="Name">The name.</param>
    /// <param name="IsInside">Not the name itself, but what is in it.</param>
    private readonly record struct Step(byte[] Key, WalkedName Name, bool IsInside);
}

/// <summary>A name that a walk came by.</summary>
internal readonly struct WalkedName
{
    public WalkedName(TreePath path, in Statx facts, bool isMountPoint)
    {
        Path = path;
        Stamp = facts.Stamp;
        HasOtherNames = facts.Links > 1 && facts.Kind != EntryKind.Directory && !isMountPoint;
        IsMountPoint = isMountPoint;
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
