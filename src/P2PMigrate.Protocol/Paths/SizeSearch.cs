namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// How long the datagrams of one path may be, after RFC 8899: starts with a size that is known to pass, tries longer ones
/// with probes, and keeps the longest that was answered. Reads no clock and sends nothing itself. Owned by a
/// <see cref="CandidatePair"/>.
/// </summary>
/// <remarks>
/// The first size tried is that of a link of 1 500 bytes, which is nearly always right; after it the longest of all; after
/// a failure, whatever lies half-way between the longest that passes and the shortest that does not.
/// </remarks>
// spec: PATH-41
internal sealed class SizeSearch
{
    /// <summary>Probes of a size without an answer after which it counts as too long.</summary>
    // spec: CONST-146
    public const int MaxAttempts = 3;

    /// <summary>After the first search it begins again after this time, then after twice as long, and so on up to the second.</summary>
    // spec: CONST-147
    public static readonly TimeSpan FirstRaise = TimeSpan.FromSeconds(30), LongestRaise = TimeSpan.FromSeconds(600);

    private const int MaxShift = 16;

    // UDP payloads of usual links, IPv4 and IPv6, with and without a relay header.
    // spec: CONST-145
    private static readonly int[] s_ladder =
        [1024, 1072, 1120, 1172, 1200, 1232, 1252, 1312, 1352, 1372, 1392, 1412, 1432, 1444, 1452, 1464, 1472, 4052, 8944, 8952, 8972];

    private readonly int _usual;
    private int _limit;
    private int _shortestFailed;
    private int _tried;
    private int _attempts;
    private int _finished;

    /// <summary>
    /// <paramref name="usual"/> is the size that a link of 1 500 bytes allows, <paramref name="limit"/> the longest that
    /// this machine can send at all, <paramref name="start"/> what passes for sure.
    /// </summary>
    public SizeSearch(int start, int usual, int limit)
    {
        Proven = start;
        _usual = usual;
        _limit = limit;
        _shortestFailed = limit + 1;
    }

    /// <summary>The longest datagram that is known to pass.</summary>
    public int Proven { get; private set; }

    /// <summary>When the next size probe is due.</summary>
    public Instant NextProbe { get; private set; }

    /// <summary>Starts again: only <paramref name="size"/> is known to pass.</summary>
    public void Restart(Instant now, int size)
    {
        Proven = size;
        _shortestFailed = _limit + 1;
        _tried = _attempts = 0;
        NextProbe = now;
    }

    /// <summary>Another path of the same route knew so much already.</summary>
    public void Inherit(Instant now, SizeSearch other)
    {
        Restart(now, other.Proven);
        _shortestFailed = other._shortestFailed;
    }

    /// <summary>The size to probe now. False when there is none; the search then begins again some time later.</summary>
    public bool TryNext(Instant now, TimeSpan answerTime, out int size)
    {
        if (_attempts >= MaxAttempts)
            Fail(_tried);
        if (!TryPick(out size))
        {
            FinishRound(now);
            return false;
        }

        _attempts = size == _tried ? _attempts + 1 : 1;
        _tried = size;
        NextProbe = now + answerTime;
        return true;
    }

    /// <summary>Not now: there were too many probes of other kinds.</summary>
    public void Postpone(Instant until) => NextProbe = until;

    /// <summary>A probe of this size was answered; a late answer counts as well.</summary>
    public void HandleAnswered(Instant now, int size)
    {
        if (size <= Proven)
            return;
        Proven = size;
        if (_shortestFailed <= size)
            _shortestFailed = _limit + 1;
        if (_tried <= size)
            _tried = _attempts = 0;
        NextProbe = now;
    }

    /// <summary>Nothing longer is tried from now on: somebody on the way would divide it.</summary>
    // spec: TURN-06
    public void LimitTo(int size)
    {
        _limit = Math.Min(_limit, size);
        _shortestFailed = Math.Min(_shortestFailed, _limit + 1);
        Proven = Math.Min(Proven, LongestBelow(_limit + 1));
    }

    /// <summary>The machine itself refuses datagrams of this size.</summary>
    // spec: PATH-45
    public void HandleTooLong(Instant now, int size)
    {
        Fail(size);
        if (Proven >= size)
            Proven = Math.Max(LongestBelow(size), s_ladder[0]);
        NextProbe = now;
    }

    /// <summary>The rung of the ladder below a size.</summary>
    public static int LongestBelow(int size) => Array.FindLast(s_ladder, rung => rung < size);

    private void Fail(int size)
    {
        _shortestFailed = Math.Min(_shortestFailed, size);
        _attempts = 0;
        _tried = 0;
    }

    // spec: PATH-43
    private void FinishRound(Instant now)
    {
        TimeSpan pause = FirstRaise * (1 << Math.Min(_finished++, MaxShift));
        NextProbe = now + (pause < LongestRaise ? pause : LongestRaise);
        _shortestFailed = _limit + 1;
    }

    private bool TryPick(out int size)
    {
        size = 0;
        int first = Array.FindIndex(s_ladder, rung => rung > Proven);
        int end = Array.FindIndex(s_ladder, rung => rung >= _shortestFailed);
        end = end < 0 ? s_ladder.Length : end;
        if (first < 0 || first >= end)
            return false;
        bool isNothingKnown = _shortestFailed > _limit;
        size = Proven < _usual && _usual < _shortestFailed ? _usual : s_ladder[isNothingKnown ? end - 1 : (first + end - 1) / 2];
        return true;
    }
}
