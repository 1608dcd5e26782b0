namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// The losses that one reduction of the window answers: those of packets that were in flight when the first of them was
/// noticed. When all of them turn out to have arrived, the reduction was for nothing. One owner.
/// </summary>
// spec: REC-15
internal sealed class LossEpisode
{
    private Instant? _begunAt;
    private Instant? _previousBegunAt;
    private int _missing;

    /// <summary>A packet that left at <paramref name="sentAt"/> is declared lost; true when that begins another episode.</summary>
    public bool HandleLost(Instant now, Instant sentAt)
    {
        bool isNew = !(sentAt <= _begunAt);
        if (isNew)
        {
            (_previousBegunAt, _begunAt) = (_begunAt, now);
            _missing = 0;
        }

        _missing++;
        return isNew;
    }

    /// <summary>
    /// A packet that was declared lost has arrived; true when it was the last one missing of the present episode.
    /// </summary>
    public bool HandleFound(Instant sentAt) => sentAt <= _begunAt && !(sentAt <= _previousBegunAt) && --_missing == 0;
}
