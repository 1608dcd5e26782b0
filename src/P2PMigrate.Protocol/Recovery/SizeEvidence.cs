namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// What the packets of one label say about the size of datagrams: do full ones get lost while short ones arrive? A
/// suspicion only, which probes have to confirm. One owner.
/// </summary>
// spec: PATH-44
internal sealed class SizeEvidence
{
    /// <summary>Full datagrams lost in a row that make a suspicion, together with a short one that arrived meanwhile.</summary>
    // spec: CONST-149
    public const int SuspiciousLosses = 6;

    private int _lostInARow;
    private bool _isShortAcked;

    /// <summary>Datagrams longer than this are full ones.</summary>
    public int ShortSize { get; set; } = int.MaxValue;

    /// <summary>Full datagrams that arrived so far.</summary>
    public long FullAcked { get; private set; }

    /// <summary>Do only full datagrams get lost?</summary>
    public bool IsSuspicious => _lostInARow >= SuspiciousLosses && _isShortAcked;

    /// <summary>A packet was acknowledged.</summary>
    public void HandleAcked(int size)
    {
        if (size <= ShortSize)
        {
            _isShortAcked |= _lostInARow > 0;
            return;
        }

        FullAcked++;
        Reset();
    }

    /// <summary>A packet was declared lost.</summary>
    public void HandleLost(int size) => _lostInARow += size > ShortSize ? 1 : 0;

    /// <summary>Begins again.</summary>
    public void Reset()
    {
        _lostInARow = 0;
        _isShortAcked = false;
    }
}
