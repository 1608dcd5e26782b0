namespace P2PMigrate.Snapshot.Pages;

/// <summary>
/// What each page of a running container was when it was last looked at, so that a pass can tell which have changed. Four bytes for a
/// page; what a pass did not meet is forgotten at its end. One owner.
/// </summary>
public sealed class PageHistory
{
    private const int BlockShift = 9;                 // pages of a block: 2 MiB of addresses
    private const int BlockMask = (1 << BlockShift) - 1;
    private const uint Unknown = 0;
    private const uint Zeros = 1;
    private const uint FirstNumber = 2;

    private readonly Dictionary<(int Process, ulong Block), Block> _blocks = [];
    private int _pass;

    /// <summary>A pass begins.</summary>
    public void BeginPass() => _pass++;

    /// <summary>
    /// The page at <paramref name="address"/> is of zeros (null) or has this number now. True unless it was just that before, or was not
    /// there and is of zeros, which costs nothing.
    /// </summary>
    public bool Note(int process, ulong address, uint? number)
    {
        ulong page = address / PageRun.PageSize;
        (int Process, ulong Block) key = (process, page >> BlockShift);
        if (!_blocks.TryGetValue(key, out Block? block))
            _blocks.Add(key, block = new Block());
        block.Pass = _pass;
        ref uint known = ref block.Pages[(int)(page & BlockMask)];
        uint now = number is { } value ? value + FirstNumber : Zeros;
        bool hasChanged = known != now && !(known == Unknown && now == Zeros);
        known = now;
        return hasChanged;
    }

    /// <summary>The pass is over: forgets what it did not meet.</summary>
    public void EndPass()
    {
        foreach ((int Process, ulong Block) key in _blocks.Where(pair => pair.Value.Pass != _pass).Select(pair => pair.Key).ToArray())
            _blocks.Remove(key);
    }

    private sealed class Block
    {
        public int Pass;
        public readonly uint[] Pages = new uint[1 << BlockShift];
    }
}
