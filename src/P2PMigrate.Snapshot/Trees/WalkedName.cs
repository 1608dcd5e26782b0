using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

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
