using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// What a scanner remembers from pass to pass: for every path how its inode looked, what was read, and when the pass
/// that read it began. Not part of a manifest: device, inode and ctime mean nothing on another machine. Both passes go by
/// the paths in order, so that remembering needs no search.
/// </summary>
internal sealed class ScanCache(IReadOnlySet<ulong> devicesWithHiddenWrites, TimeSpan margin)
{
    private List<Memory> _last = [];
    private int _position;

    /// <summary>
    /// What was read of <paramref name="name"/> in an earlier pass, if it is certain that nothing has changed since. To be
    /// asked in order of the paths.
    /// </summary>
    public bool TryRecall(in WalkedName name, out Memory memory)
    {
        while (_position < _last.Count && _last[_position].Entry.Path < name.Path)
            _position++;

        memory = default;
        if (_position == _last.Count || _last[_position].Entry.Path != name.Path)
            return false;

        memory = _last[_position];
        return memory.Stamp == name.Stamp && IsCertain(memory);
    }

    /// <summary>A pass begins, with the first path.</summary>
    public void BeginPass() => _position = 0;

    /// <summary>A pass is over; this is all that is known after it, in order of the paths.</summary>
    public void EndPass(List<Memory> memories) => _last = memories;

    /// <summary>Would a change since the pass that read it have moved the ctime?</summary>
    private bool IsCertain(in Memory memory)
    {
        // spec: SNAP-80
        if (memory.Entry is FileEntry && devicesWithHiddenWrites.Contains(memory.Stamp.Id.Device))
            return false;

        return memory.Stamp.ChangedAt < memory.ReadSince - margin;
    }

    /// <summary>What is known of one inode.</summary>
    /// <param name="Entry">What was read.</param>
    /// <param name="Stamp">How it looked then.</param>
    /// <param name="ReadSince">When the pass that read it began.</param>
    public readonly record struct Memory(InodeEntry Entry, InodeStamp Stamp, UnixTime ReadSince);
}
