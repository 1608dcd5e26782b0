namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// Finds out whether a path has begun to drop long datagrams, by comparison: rounds of probes of the present size and of
/// the smallest one, sent together. Loss alone proves nothing, because random loss takes both; only when in several rounds
/// in a row the short one is answered and no long one ever, the path has shrunk. Owned by a <see cref="CandidatePair"/>.
/// </summary>
// spec: PATH-44
internal sealed class BlackHoleCheck
{
    /// <summary>Rounds in a row that have to speak against the present size.</summary>
    // spec: CONST-148
    public const int RoundsForVerdict = 4;

    /// <summary>Long probes in a round: two, so that the loss of one does not decide.</summary>
    public const int LongProbesPerRound = 2;

    private int _rounds;
    private int _sentThisRound;
    private bool _isShortAnswered;

    /// <summary>Is the check under way?</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Have enough rounds spoken?</summary>
    public bool HasVerdict => _rounds >= RoundsForVerdict;

    /// <summary>Begins, unless it is under way.</summary>
    public void Open()
    {
        if (IsOpen)
            return;
        IsOpen = true;
        _rounds = 0;
        _sentThisRound = 0;
        _isShortAnswered = false;
    }

    /// <summary>A long datagram arrived, or the path is not in use: there is nothing to find out.</summary>
    public void Close() => IsOpen = false;

    /// <summary>A probe of the smallest size was answered; true when that ends the round.</summary>
    public bool TryEndRound()
    {
        bool isEnd = IsOpen && !_isShortAnswered && !IsInRound;
        _isShortAnswered |= isEnd;
        return isEnd;
    }

    /// <summary>Is the next probe a short one? It is the last of its round.</summary>
    public bool IsShortNext => _sentThisRound == LongProbesPerRound;

    /// <summary>A probe leaves; the first of a round counts what became of the round before.</summary>
    public void HandleSent()
    {
        if (_sentThisRound == 0)
        {
            _rounds += _isShortAnswered ? 1 : 0;
            _isShortAnswered = false;
        }

        _sentThisRound = IsShortNext ? 0 : _sentThisRound + 1;
    }

    /// <summary>Is a round half sent?</summary>
    public bool IsInRound => _sentThisRound > 0;
}
