using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// What an ACK frame says beyond all before it. A frame repeats everything that its sender remembers, so without this
/// every packet in flight would be looked at again for each of them. One owner.
/// </summary>
internal sealed class FreshRanges
{
    // What a frame names may fall out of the next and come again in the one after it.
    // spec: CONST-181
    private const int MaxKnown = 2 * AckFrame.MaxRanges;

    private readonly PacketRange[] _fresh = new PacketRange[AckFrame.MaxRanges + MaxKnown];
    private PacketRange[] _known = new PacketRange[MaxKnown];
    private PacketRange[] _scratch = new PacketRange[MaxKnown];
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
        if (_freshCount > 0)
            Remember();
    }

    // Puts both lists into one, largest first; what finds no room at the end is forgotten.
    private void Remember()
    {
        int known = 0, fresh = 0, count = 0;
        while (known < _knownCount || fresh < _freshCount)
        {
            bool isKnown = fresh == _freshCount || (known < _knownCount && _known[known].Last > _fresh[fresh].Last);
            PacketRange next = isKnown ? _known[known++] : _fresh[fresh++];
            if (count > 0 && _scratch[count - 1].First == next.Last + 1)
                _scratch[count - 1] = new(next.First, _scratch[count - 1].Last);
            else if (count < MaxKnown)
                _scratch[count++] = next;
            else
                break;
        }

        (_known, _scratch, _knownCount) = (_scratch, _known, count);
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
