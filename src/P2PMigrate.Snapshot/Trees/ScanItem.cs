using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>One inode on its way through a pass, with all the names that the walk found for it, bytewise first name first.</summary>
internal sealed class ScanItem(WalkedName first)
{
    private List<WalkedName>? _names;
    private List<TreePath>? _vanished;

    private WalkedName First { get; set; } = first;

    /// <summary>What was read, now or in an earlier pass.</summary>
    public ReadInode Result { get; set; }

    /// <summary>Is there nothing to read any more?</summary>
    public bool IsRead => Result.IsStable;

    /// <summary>Names that the manifest may be wrong about: never still, gone, or by now the names of another inode.</summary>
    public IEnumerable<TreePath> DirtyPaths
    {
        get
        {
            bool isCertain = Result.IsStable && Result.Stamp.Id == First.Stamp.Id;
            return (_vanished ?? []).Concat(isCertain ? [] : Names.Select(name => name.Path));
        }
    }

    /// <summary>What it contributes to the manifest.</summary>
    public IEnumerable<TreeEntry> Entries
    {
        get
        {
            // spec: SNAP-07
            if (Result.Entry is not { } entry)
                yield break;

            yield return entry;
            foreach (WalkedName name in Names.Skip(1))
                yield return new HardLinkEntry(name.Path, entry.Path);
        }
    }

    private IEnumerable<WalkedName> Names => _names ?? [First];

    /// <summary>Adds a further name, which sorts behind all before.</summary>
    public void AddLink(WalkedName name) => (_names ??= [First]).Add(name);

    /// <summary>Reads the inode by its first name; a name that has vanished gives way to the next.</summary>
    public void Read(InodeReader reader, CancellationToken cancellationToken)
    {
        Result = reader.Read(First, cancellationToken);
        while (Result == default && _names is { Count: > 1 })
        {
            (_vanished ??= []).Add(First.Path);
            _names.RemoveAt(0);
            First = _names[0];
            Result = reader.Read(First, cancellationToken);
        }
    }
}
