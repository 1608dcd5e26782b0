namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// How much more than expected the path acknowledges at a time: receivers, radios and network cards hold acknowledgements
/// back and then release many. The window has to be larger by that much to keep the path busy between. One owner.
/// </summary>
internal sealed class BbrAggregation
{
    private const int RoundsPerHalf = 5;

    private Instant _since;
    private long _delivered;
    private long _previousHalf;
    private long _thisHalf;
    private int _rounds;

    /// <summary>Bytes beyond what was expected, the most in the last five to ten rounds.</summary>
    public long Extra => Math.Max(_previousHalf, _thisHalf);

    /// <summary>The path was idle: expectations begin now.</summary>
    public void Restart(Instant now) => (_since, _delivered) = (now, 0);

    /// <summary>Bytes were acknowledged.</summary>
    public void Add(Instant now, long acked, double bandwidth, long window)
    {
        double expected = bandwidth * (now - _since).TotalSeconds;
        if (_delivered <= expected)
        {
            Restart(now);
            expected = 0;
        }

        _delivered += acked;
        _thisHalf = Math.Max(_thisHalf, Math.Min(window, (long)(_delivered - expected)));
    }

    /// <summary>A round is over. Before the path is known to be full, only the last round counts.</summary>
    public void HandleRound(bool isPathKnown)
    {
        if (++_rounds < RoundsPerHalf && isPathKnown)
            return;
        _rounds = 0;
        (_previousHalf, _thisHalf) = (_thisHalf, 0);
    }
}
