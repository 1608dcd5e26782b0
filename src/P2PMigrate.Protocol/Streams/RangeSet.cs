using System.Diagnostics;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// A set of stream ranges, kept sorted in one array: adding at the end and removing at the front, the common cases, cost
/// nothing; the rest is a binary search and a move of a few hundred bytes. Ranges that touch are merged. One owner.
/// </summary>
internal sealed class RangeSet
{
    /// <summary>See <see cref="ShortCount"/>.</summary>
    // spec: CONST-182
    public const int ShortLength = 256;

    private const int InitialCapacity = 4;

    private StreamRange[] _items = [];
    private int _head;

    /// <summary>How many separate ranges there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them have fewer than <see cref="ShortLength"/> offsets.</summary>
    public int ShortCount { get; private set; }

    /// <summary>Is nothing in the set?</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>The range with the smallest offsets; the set is not empty.</summary>
    public StreamRange First => this[0];

    /// <summary>The range at a position, smallest offsets first.</summary>
    public StreamRange this[int index]
    {
        get
        {
            Debug.Assert((uint)index < (uint)Count);
            return _items[_head + index];
        }
    }

    /// <summary>Adds a range; empty ones change nothing.</summary>
    public void Add(StreamRange range)
    {
        if (range.IsEmpty)
            return;
        int from = IndexOfFirstEndingAtOrAfter(range.Start);
        int to = from;
        while (to < Count && this[to].Start <= range.End)
            range = range.Join(this[to++]);
        Replace(from, to, range);
    }

    /// <summary>Removes a range, cutting those that reach over its ends.</summary>
    public void Remove(StreamRange range)
    {
        if (range.IsEmpty || Count == 0)
            return;
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

    /// <summary>The position of the first range that ends after <paramref name="offset"/>; <see cref="Count"/> if none does.</summary>
    public int IndexOfFirstEndingAfter(ulong offset) => IndexOfFirstEndingAtOrAfter(offset + 1);

    /// <summary>Forgets everything.</summary>
    public void Clear() => (_head, Count, ShortCount) = (0, 0, 0);

    private int IndexOfFirstEndingAtOrAfter(ulong offset)
    {
        if (Count == 0 || this[Count - 1].End < offset)
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

    /// <summary>Puts <paramref name="range"/>, unless it is empty, where the ranges from <paramref name="from"/> to before <paramref name="to"/> stood.</summary>
    private void Replace(int from, int to, StreamRange range)
    {
        for (int i = from; i < to; i++)
            ShortCount -= this[i].Length < ShortLength ? 1 : 0;
        int added = range.IsEmpty ? 0 : 1;
        ShortCount += added == 1 && range.Length < ShortLength ? 1 : 0;
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
}

/// <summary>Offsets of a stream from <paramref name="Start"/> to before <paramref name="End"/>.</summary>
internal readonly record struct StreamRange(ulong Start, ulong End)
{
    public bool IsEmpty => Start >= End;

    public ulong Length => End - Start;

    public StreamRange Join(StreamRange other) => new(Math.Min(Start, other.Start), Math.Max(End, other.End));

    public StreamRange Intersect(StreamRange other) => new(Math.Max(Start, other.Start), Math.Min(End, other.End));
}
