namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// A set of stream ranges, kept sorted in blocks of bounded size: whatever a peer sends and however many ranges there are,
/// adding or removing one moves a few kilobytes at most. Mostly there is one block. Ranges that touch are merged. One owner.
/// </summary>
internal sealed class RangeSet
{
    /// <summary>See <see cref="ShortCount"/>.</summary>
    // spec: CONST-182
    public const int ShortLength = 256;

    private const int MaxBlockCount = 256;

    private readonly List<RangeBlock> _blocks = [new()];
    private RangeBlock? _spare;

    /// <summary>How many separate ranges there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them have fewer than <see cref="ShortLength"/> offsets.</summary>
    public int ShortCount { get; private set; }

    /// <summary>Is nothing in the set?</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>The range with the smallest offsets; the set is not empty.</summary>
    public StreamRange First => _blocks[0].First;

    /// <summary>Adds a range; empty ones change nothing.</summary>
    public void Add(StreamRange range)
    {
        if (range.IsEmpty)
            return;
        int index = _blocks.Count == 1 ? 0 : Math.Min(IndexOfBlockEndingAtOrAfter(range.Start), _blocks.Count - 1);
        while (index + 1 < _blocks.Count && _blocks[index + 1].First.Start <= range.End)
            range = range.Join(TakeFirstOf(index + 1));
        RangeBlock block = _blocks[index];
        Uncount(block);
        block.Add(range);
        Recount(block);
        SplitIfFull(index);
    }

    /// <summary>Removes a range, cutting those that reach over its ends.</summary>
    public void Remove(StreamRange range)
    {
        if (range.IsEmpty || Count == 0)
            return;
        int index = _blocks.Count == 1 ? 0 : IndexOfBlockEndingAtOrAfter(range.Start + 1);
        while (index < _blocks.Count && _blocks[index].Count > 0 && _blocks[index].First.Start < range.End)
        {
            RangeBlock block = _blocks[index];
            Uncount(block);
            block.Remove(range);
            Recount(block);
            if (!TryDrop(index))
                index += SplitIfFull(index) ? 2 : 1;
        }
    }

    /// <summary>Finds the first range that ends after <paramref name="offset"/>.</summary>
    public bool TryFindEndingAfter(ulong offset, out StreamRange range)
    {
        range = default;
        int index = _blocks.Count == 1 ? 0 : IndexOfBlockEndingAtOrAfter(offset + 1);
        if (index == _blocks.Count)
            return false;
        RangeBlock block = _blocks[index];
        int position = block.IndexOfFirstEndingAtOrAfter(offset + 1);
        if (position == block.Count)
            return false;
        range = block[position];
        return true;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _blocks.RemoveRange(1, _blocks.Count - 1);
        _blocks[0].Clear();
        (Count, ShortCount) = (0, 0);
    }

    private int IndexOfBlockEndingAtOrAfter(ulong offset)
    {
        int low = 0, high = _blocks.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_blocks[middle].Last.End < offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private StreamRange TakeFirstOf(int index)
    {
        RangeBlock block = _blocks[index];
        StreamRange first = block.First;
        Uncount(block);
        block.Remove(first);
        Recount(block);
        TryDrop(index);
        return first;
    }

    private void Uncount(RangeBlock block) => (Count, ShortCount) = (Count - block.Count, ShortCount - block.ShortCount);

    private void Recount(RangeBlock block) => (Count, ShortCount) = (Count + block.Count, ShortCount + block.ShortCount);

    // The last one stays, so that IsEmpty is the only case without ranges in a block.
    private bool TryDrop(int index)
    {
        if (_blocks.Count == 1 || _blocks[index].Count > 0)
            return false;
        _spare = _blocks[index];
        _spare.Clear();
        _blocks.RemoveAt(index);
        return true;
    }

    private bool SplitIfFull(int index)
    {
        if (_blocks[index].Count <= MaxBlockCount)
            return false;
        RangeBlock second = _spare ?? new();
        _spare = null;
        _blocks[index].SplitInto(second);
        _blocks.Insert(index + 1, second);
        return true;
    }
}

/// <summary>Offsets of a stream from <paramref name="Start"/> to before <paramref name="End"/>.</summary>
internal readonly record struct StreamRange(ulong Start, ulong End)
{
    public bool IsEmpty => Start >= End;

    public ulong Length => End - Start;

    public StreamRange Join(StreamRange other) => new(Math.Min(Start, other.Start), Math.Max(End, other.End));

    public StreamRange Intersect(StreamRange other) => new(Math.Max(Start, other.Start), Math.Min(End, other.End));
}
