using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Packet numbers received under one label that are still worth acknowledging: a few ranges, largest first. When there
/// are too many, the smallest are forgotten; the peer then sends those bytes again at worst. One owner.
/// </summary>
internal sealed class PacketNumberSet
{
    private readonly PacketRange[] _ranges = new PacketRange[AckFrame.MaxRanges];
    private int _count;

    /// <summary>The ranges, largest first; they do not touch.</summary>
    public ReadOnlySpan<PacketRange> Ranges => _ranges.AsSpan(0, _count);

    /// <summary>Adds a number that is not in the set.</summary>
    public void Add(ulong number)
    {
        int i = 0;
        while (i < _count && _ranges[i].First > number + 1)
            i++;
        if (i < _count && number >= _ranges[i].First && number <= _ranges[i].Last)
            return;
        bool touchesUpper = i < _count && _ranges[i].First == number + 1;
        int lower = touchesUpper ? i + 1 : i;
        bool touchesLower = lower < _count && _ranges[lower].Last + 1 == number;
        if (touchesUpper && touchesLower)
        {
            _ranges[i] = _ranges[i] with { First = _ranges[lower].First };
            RemoveAt(lower);
        }
        else if (touchesUpper)
            _ranges[i] = _ranges[i] with { First = number };
        else if (touchesLower)
            _ranges[lower] = _ranges[lower] with { Last = number };
        else
            InsertAt(i, new(number, number));
    }

    /// <summary>Forgets all numbers up to this one: the peer knows that they arrived.</summary>
    public void RemoveUpTo(ulong number)
    {
        while (_count > 0 && _ranges[_count - 1].Last <= number)
            _count--;
        if (_count > 0 && _ranges[_count - 1].First <= number)
            _ranges[_count - 1] = _ranges[_count - 1] with { First = number + 1 };
    }

    private void InsertAt(int index, PacketRange range)
    {
        if (index == _ranges.Length)
            return;
        int moved = Math.Min(_count, _ranges.Length - 1) - index;
        Array.Copy(_ranges, index, _ranges, index + 1, moved);
        _ranges[index] = range;
        _count = Math.Min(_count + 1, _ranges.Length);
    }

    private void RemoveAt(int index)
    {
        _count--;
        Array.Copy(_ranges, index + 1, _ranges, index, _count - index);
    }
}
