using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// What an ACK frame says beyond the frame before it. A frame repeats everything that its sender remembers, so without
/// this every packet in flight would be looked at again for each of them. One owner.
/// </summary>
internal sealed class FreshRanges
{
    private readonly PacketRange[] _known = new PacketRange[AckFrame.MaxRanges];
    private readonly PacketRange[] _fresh = new PacketRange[2 * AckFrame.MaxRanges];
    private int _knownCount;
    private int _freshCount;

    /// <summary>The numbers that are new, largest first.</summary>
    public ReadOnlySpan<PacketRange> Ranges => _fresh.AsSpan(0, _freshCount);

    /// <summary>Takes a frame in. An older one that comes late says nothing new, or little.</summary>
    public void Take(in AckFrame ack)
    {
        _freshCount = 0;
        int known = 0;
        foreach (PacketRange range in ack)
            Subtract(range, ref known);
        if (_knownCount > 0 && ack.Largest < _known[0].Last)
            return;
        _knownCount = 0;
        foreach (PacketRange range in ack)
            _known[_knownCount++] = range;
    }

    // Both lists fall, so a known range that lies above this one lies above all that follow.
    private void Subtract(PacketRange range, ref int known)
    {
        ulong last = range.Last;
        while (known < _knownCount && _known[known].First > last)
            known++;
        for (int i = known; i < _knownCount && _known[i].Last >= range.First; i++)
        {
            if (_known[i].Last < last)
                _fresh[_freshCount++] = new(_known[i].Last + 1, last);
            if (_known[i].First <= range.First)
                return;
            last = _known[i].First - 1;
        }

        _fresh[_freshCount++] = new(range.First, last);
    }
}
