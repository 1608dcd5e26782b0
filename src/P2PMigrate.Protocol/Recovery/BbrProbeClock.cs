namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// When to probe for bandwidth: two to three seconds after the last time, by chance so that flows do not do it together,
/// or as often as a Reno flow with the same window would lose a packet, if that is earlier. One owner.
/// </summary>
internal sealed class BbrProbeClock(ulong seed)
{
    private const int MaxRenoRounds = 63;

    private static readonly TimeSpan s_minWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_spread = TimeSpan.FromSeconds(1);

    private ulong _random = seed;
    private Instant _cycleStart;
    private TimeSpan _wait;
    private int _rounds;

    /// <summary>A round trip is over.</summary>
    public void HandleRound() => _rounds++;

    /// <summary>A cycle begins.</summary>
    public void Restart(Instant now)
    {
        // xorshift64*: chance here needs no quality, only to differ between flows.
        _random = _random == 0 ? 1 : _random;
        _random ^= _random >> 12;
        _random ^= _random << 25;
        _random ^= _random >> 27;
        ulong drawn = _random * 0x2545F4914F6CDD1D;
        _cycleStart = now;
        _rounds = (int)(drawn >> 63);
        _wait = s_minWait + s_spread * ((drawn & 0xFFFF_FFFF) / (double)uint.MaxValue);
    }

    /// <summary>Is it time, with so many datagrams in flight?</summary>
    public bool IsTime(Instant now, double datagrams) => now > _cycleStart + _wait || _rounds >= Math.Min(datagrams, MaxRenoRounds);
}
