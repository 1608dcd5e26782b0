using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// What a scanner remembers from pass to pass: for every path how its inode looked, what was read, and when the pass
/// that read it began. Not part of a manifest: device, inode and ctime mean nothing on another machine.
/// </summary>
internal sealed class ScanCache
{
    private readonly bool _showsMappedWrites;
    private readonly TimeSpan _margin;
    private Dictionary<TreePath, Memory> _last = [];
    private Dictionary<TreePath, Memory> _next = [];

    public ScanCache(bool showsMappedWrites, TimeSpan margin)
    {
        _showsMappedWrites = showsMappedWrites;
        _margin = margin;
    }

    /// <summary>
    /// What was read of <paramref name="name"/> in an earlier pass, if it is certain that nothing has changed since. What is
    /// found stays remembered.
    /// </summary>
    public bool TryRecall(in WalkedName name, [NotNullWhen(true)] out InodeEntry? entry)
    {
        entry = null;
        if (!_last.TryGetValue(name.Path, out Memory memory) || memory.Stamp != name.Stamp || !IsCertain(memory))
            return false;

        _next[name.Path] = memory;
        entry = memory.Entry;
        return true;
    }

    /// <summary>Remembers what a pass that began at <paramref name="passStartedAt"/> read.</summary>
    public void Remember(InodeEntry entry, in InodeStamp stamp, UnixTime passStartedAt) =>
        _next[entry.Path] = new Memory(stamp, entry, passStartedAt);

    /// <summary>The pass is over: what was neither recalled nor remembered in it is forgotten.</summary>
    public void EndPass() => (_last, _next) = (_next, []);

    /// <summary>Would a change since the pass that read it have moved the ctime?</summary>
    private bool IsCertain(in Memory memory)
    {
        // spec: SNAP-80
        if (memory.Entry is FileEntry && !_showsMappedWrites)
            return false;

        return memory.Stamp.ChangedAt < memory.PassStartedAt - _margin;
    }

    private readonly record struct Memory(InodeStamp Stamp, InodeEntry Entry, UnixTime PassStartedAt);
}
