namespace P2PMigrate.Protocol.Punching;

/// <summary>All ports of a range, each once, in an order that looks like chance and takes no memory. One owner.</summary>
internal sealed class ShuffledRange
{
    private readonly ushort _low;
    private readonly int _count;
    private readonly int _start;
    private readonly int _stride;
    private int _given;

    /// <summary>From <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public ShuffledRange(ushort low, ushort high, ulong seed)
    {
        (_low, _count) = (low, high - low + 1);
        _start = (int)(seed % (ulong)_count);
        _stride = 1 + (int)((seed >> 20) % (ulong)_count);
        while (GreatestDivisor(_stride, _count) != 1)
            _stride++;
    }

    /// <summary>The next one; false when all were given.</summary>
    public bool TryNext(out ushort port)
    {
        port = (ushort)(_low + ((_start + (long)_given * _stride) % _count));
        return _given++ < _count;
    }

    private static int GreatestDivisor(int a, int b) => b == 0 ? a : GreatestDivisor(b, a % b);
}
