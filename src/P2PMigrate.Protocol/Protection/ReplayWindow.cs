namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// Remembers which packet numbers of one path label were received, whatever their epoch, as RFC 6479 does it: a ring of words,
/// cleared a word at a time, without shifting. Numbers more than <see cref="Width"/> below the greatest count as seen.
/// One owner, not thread-safe.
/// </summary>
/// <remarks>spec: HS-35. Ask <see cref="IsNew"/> before opening a packet, call <see cref="TryAccept"/> after it opened.</remarks>
public sealed class ReplayWindow
{
    /// <summary>How far below the greatest number a packet may arrive.</summary>
    public const int Width = (WordCount - 1) * WordBits;

    private const int WordBits = 64;
    private const int WordCount = 128;

    private readonly ulong[] _words = new ulong[WordCount];
    private ulong _greatest;
    private bool _isEmpty = true;

    /// <summary>The greatest number accepted, or -1.</summary>
    public long Greatest => _isEmpty ? -1 : (long)_greatest;

    /// <summary>Was <paramref name="number"/> not accepted yet, and is it recent enough to tell?</summary>
    public bool IsNew(ulong number)
    {
        if (_isEmpty || number > _greatest)
        {
            return true;
        }

        return _greatest - number < Width && (_words[Word(number)] & Bit(number)) == 0;
    }

    /// <summary>Marks <paramref name="number"/> as received; false, changing nothing, when it is not new.</summary>
    public bool TryAccept(ulong number)
    {
        if (!IsNew(number))
        {
            return false;
        }

        if (_isEmpty || number > _greatest)
        {
            ClearBetween(_isEmpty ? 0 : _greatest / WordBits, number / WordBits);
            _greatest = number;
            _isEmpty = false;
        }

        _words[Word(number)] |= Bit(number);
        return true;
    }

    private void ClearBetween(ulong oldWord, ulong newWord)
    {
        ulong count = Math.Min(newWord - oldWord, WordCount);
        for (ulong step = 0; step < count; step++)
        {
            _words[(newWord - step) % WordCount] = 0;
        }
    }

    private static int Word(ulong number) => (int)(number / WordBits % WordCount);

    private static ulong Bit(ulong number) => 1UL << (int)(number % WordBits);
}
