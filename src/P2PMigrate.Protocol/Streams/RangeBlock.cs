using System.Diagnostics;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Some stream ranges in a row, sorted in one array: adding at the end and removing at the front cost nothing, the rest a
/// binary search and a move of those behind. Ranges that touch are merged. One owner, a <see cref="RangeSet"/>.
/// </summary>
internal sealed class RangeBlock
{
    private const int InitialCapacity = 4;

    private StreamRange[] _items = [];
    private int _head;

    /// <summary>How many ranges there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them have fewer than <see cref="RangeSet.ShortLength"/> offsets.</summary>
    public int ShortCount { get; private set; }

    /// <summary>The range with the smallest offsets; there is one.</summary>
    public StreamRange First => this[0];

    /// <summary>The range with the greatest offsets; there is one.</summary>
    public StreamRange Last => this[Count - 1];

    /// <summary>The range at a position, smallest offsets first.</summary>
    public StreamRange this[int index]
    {
        get
        {
            Debug.Assert((uint)index < (uint)Count);
            return _items[_head + index];
        }
    }

    /// <summary>Adds a range that is not empty.</summary>
    public void Add(StreamRange range)
    {
        int from = IndexOfFirstEndingAtOrAfter(range.Start);
        int to = from;
        while (to < Count && this[to].Start <= range.End)
            range = range.Join(this[to++]);
        Replace(from, to, range);
    }

    /// <summary>Removes a range, cutting those that reach over its ends.</summary>
    public void Remove(StreamRange range)
    {
        int from = IndexOfFirstEndingAtOrAfter(range.Start + 1);
        int to = from;
        StreamRange left = default, right = default;
        for (; to < Count && this[to].Start < range.End; to++)
        {
            if (this[to].Start < range.Start)
                left = new(this[to].Start, range.Start);
            if (this[to].End > range.End)
                right = new(range.End, this[to].End);
        }

        if (from == to)
            return;
        if (right.IsEmpty)
            Replace(from, to, left);
        else
        {
            Replace(from, to, right);
            if (!left.IsEmpty)
                Replace(from, from, left);
        }
    }

    /// <summary>The position of the first range that ends at <paramref name="offset"/> or after; <see cref="Count"/> if none does.</summary>
    public int IndexOfFirstEndingAtOrAfter(ulong offset)
    {
        if (Count == 0 || Last.End < offset)
            return Count;
        int low = 0, high = Count - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (this[middle].End < offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>Moves the second half to <paramref name="other"/>, which is empty.</summary>
    public void SplitInto(RangeBlock other)
    {
        int half = Count / 2;
        for (int i = half; i < Count; i++)
            other.Replace(i - half, i - half, this[i]);
        Replace(half, Count, default);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => (_head, Count, ShortCount) = (0, 0, 0);

    /// <summary>Puts <paramref name="range"/>, unless it is empty, where the ranges from <paramref name="from"/> to before <paramref name="to"/> stood.</summary>
    private void Replace(int from, int to, StreamRange range)
    {
        for (int i = from; i < to; i++)
            ShortCount -= IsShort(this[i]) ? 1 : 0;
        int added = range.IsEmpty ? 0 : 1;
        ShortCount += added == 1 && IsShort(range) ? 1 : 0;
        int shift = added - (to - from);
        if (from == 0 && shift < 0)
            _head -= shift;
        else if (shift != 0)
        {
            EnsureRoomFor(Count + shift);
            Array.Copy(_items, _head + to, _items, _head + to + shift, Count - to);
        }

        Count += shift;
        if (added == 1)
            _items[_head + from] = range;
    }

    private void EnsureRoomFor(int count)
    {
        if (_head + count <= _items.Length)
            return;
        StreamRange[] target = count > _items.Length / 2 ? new StreamRange[Math.Max(InitialCapacity, count * 2)] : _items;
        Array.Copy(_items, _head, target, 0, Count);
        (_items, _head) = (target, 0);
    }

    private static bool IsShort(StreamRange range) => range.Length < RangeSet.ShortLength;
}
