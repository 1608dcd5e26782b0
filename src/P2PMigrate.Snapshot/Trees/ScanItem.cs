using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>One inode on its way through a pass, with all the names that the walk found for it, bytewise first name first.</summary>
internal sealed class ScanItem(WalkedName first)
{
    private WalkedName _first = first;
    private List<WalkedName>? _others;
    private List<TreePath>? _vanished;

    /// <summary>What was read in this pass, or recalled from an earlier one.</summary>
    public ReadInode Result { get; private set; }

    /// <summary>When the pass began that read it.</summary>
    public UnixTime ReadSince { get; private set; }

    /// <summary>Names that the manifest may be wrong about: never still, gone, or by now the names of another inode.</summary>
    public IEnumerable<TreePath> DirtyPaths
    {
        get
        {
            bool isCertain = Result.IsStable && Result.Stamp.Id == _first.Stamp.Id;
            return isCertain && _vanished is null ? [] : (_vanished ?? []).Concat(isCertain ? [] : Paths);
        }
    }

    private IEnumerable<TreePath> Paths => (_others ?? []).Select(name => name.Path).Prepend(_first.Path);

    /// <summary>Adds a further name, which sorts behind all before.</summary>
    public void AddLink(WalkedName name) => (_others ??= []).Add(name);

    /// <summary>Takes over what an earlier pass has read.</summary>
    public void Recall(in ScanCache.Memory memory)
    {
        Result = new ReadInode(memory.Entry, memory.Stamp, IsStable: true);
        ReadSince = memory.ReadSince;
    }

    /// <summary>Reads the inode by its first name; a name that has vanished gives way to the next.</summary>
    public void Read(InodeReader reader, UnixTime passStartedAt, CancellationToken cancellationToken)
    {
        ReadSince = passStartedAt;
        Result = reader.Read(_first, cancellationToken);
        while (Result == default && _others is { Count: > 0 })
        {
            (_vanished ??= []).Add(_first.Path);
            _first = _others[0];
            _others.RemoveAt(0);
            Result = reader.Read(_first, cancellationToken);
        }
    }

    /// <summary>What the manifest says of one of its names: the first describes the inode, the others lead to it.</summary>
    public TreeEntry? EntryOf(TreePath path)
    {
        // spec: SNAP-07
        if (Result.Entry is not { } entry || path < entry.Path)
            return null;
        return path == entry.Path ? entry : new HardLinkEntry(path, entry.Path);
    }
}
