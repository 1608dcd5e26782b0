namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// HyStart++ (RFC 9406): ends slow start when the round-trip time rises, before losses do, and grows slowly for a few
/// rounds to see whether the rise was a false alarm. A round is over when a packet sent after its start is acknowledged;
/// times and not numbers tell, because a new label of the same route begins its numbers again. One owner.
/// </summary>
// spec: REC-31
internal sealed class SlowStartExit
{
    private const int SamplesNeeded = 8;
    private const int ConservativeRounds = 5;
    private const int ConservativeDivisor = 4;

    private static readonly TimeSpan s_minRise = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan s_maxRise = TimeSpan.FromMilliseconds(16);

    private Instant _lastSent;
    private Instant _roundStart;
    private int _samples;
    private int _conservativeRoundsLeft;
    private TimeSpan _lastRoundMin = TimeSpan.MaxValue;
    private TimeSpan _roundMin = TimeSpan.MaxValue;
    private TimeSpan _baseline = TimeSpan.MaxValue;

    /// <summary>Divides the growth of the window: 1, or 4 while the rise is being checked.</summary>
    public int GrowthDivisor => IsConservative ? ConservativeDivisor : 1;

    private bool IsConservative => _conservativeRoundsLeft > 0;

    /// <summary>A packet left.</summary>
    public void HandleSent(Instant now) => _lastSent = now;

    /// <summary>An acknowledgement of a packet sent then brought a round-trip sample; true when slow start is over.</summary>
    public bool ShouldExit(Instant sentAt, TimeSpan roundTrip)
    {
        bool isOver = sentAt > _roundStart && StartRound();
        _samples++;
        _roundMin = roundTrip < _roundMin ? roundTrip : _roundMin;
        if (_samples < SamplesNeeded || isOver)
            return isOver;

        if (IsConservative)
        {
            if (_roundMin < _baseline)
                _conservativeRoundsLeft = 0; // A false alarm: grow as before.
        }
        else if (_lastRoundMin != TimeSpan.MaxValue && _roundMin >= _lastRoundMin + Rise())
        {
            _baseline = _roundMin;
            _conservativeRoundsLeft = ConservativeRounds;
        }

        return false;
    }

    private bool StartRound()
    {
        bool isOver = IsConservative && --_conservativeRoundsLeft == 0;
        _roundStart = _lastSent;
        (_lastRoundMin, _roundMin, _samples) = (_roundMin, TimeSpan.MaxValue, 0);
        return isOver;
    }

    private TimeSpan Rise()
    {
        TimeSpan eighth = _lastRoundMin / 8;
        return eighth < s_minRise ? s_minRise : eighth > s_maxRise ? s_maxRise : eighth;
    }
}
