namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// When a server that gives no allocation is asked again, how often it is gone round, and what has been said about it. However it
/// answers, it is not asked without pause. One owner.
/// </summary>
// spec: TURN-08
internal sealed class TurnPauses
{
    /// <summary>Pause before the next attempt; doubles.</summary>
    // spec: TURN-08, CONST-357
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);

    /// <summary>The longest pause between two attempts, and that after a refusal of the credentials.</summary>
    // spec: TURN-08, CONST-357
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>Pause after a refusal for want of room.</summary>
    // spec: TURN-08, CONST-357
    public static readonly TimeSpan FullPause = TimeSpan.FromMinutes(1);

    /// <summary>Between two questions because a session is silent, and between two attempts at once; the latter doubles.</summary>
    // spec: TURN-08, CONST-357
    public static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(5);

    private const int MaxDetours = 3;

    private readonly HashSet<string> _told = [];
    private TimeSpan _pause = FirstPause;
    private TimeSpan _restartGap = RecheckInterval;
    private Instant _restartAt;
    private Instant _recheckAt;
    private int _detours;
    private bool _mayHurry;

    /// <summary>When the server is asked again; never while it is being asked, or has answered.</summary>
    public Instant EndsAt { get; private set; } = Instant.Never;

    /// <summary>It is asked now, or not any more.</summary>
    public void Stop() => EndsAt = Instant.Never;

    /// <summary>There is an allocation.</summary>
    public void HandleAllocated()
    {
        (_pause, _detours) = (FirstPause, 0);
        _told.Clear();
    }

    /// <summary>There is none, for the reason that <paramref name="code"/> says, or another one (0).</summary>
    public void HandleFailed(Instant now, int code)
    {
        TimeSpan? known = code switch
        {
            TurnErrors.Unauthenticated or TurnErrors.WrongCredentials => LongestPause,
            TurnErrors.QuotaReached or TurnErrors.InsufficientCapacity => FullPause,
            _ => null,
        };
        EndsAt = now + (known ?? _pause);
        _recheckAt = Instant.Max(_recheckAt, now + RecheckInterval); // It was asked just now.
        (_detours, _mayHurry) = (0, known is null);
        if (_mayHurry)
            _pause = Twice(_pause);
    }

    /// <summary>May another server, or the same from another socket, be asked instead?</summary>
    public bool TryDetour() => _detours++ < MaxDetours;

    /// <summary>The server has forgotten: may it be asked at once? If not, the pause begins.</summary>
    public bool TryRestart(Instant now)
    {
        if (now >= _restartAt + _restartGap)
            _restartGap = RecheckInterval;
        Instant start = Instant.Max(now, _restartAt);
        _restartAt = start + _restartGap;
        _restartGap = Twice(_restartGap);
        (EndsAt, _mayHurry) = (start > now ? start : Instant.Never, false);
        return start == now;
    }

    /// <summary>A session needs the server: a pause after which nobody knows what is the matter is cut short.</summary>
    public void Hurry(Instant now)
    {
        Instant sooner = _mayHurry ? Sooner(now, EndsAt) : EndsAt;
        if (sooner == EndsAt)
            return;
        (EndsAt, _pause) = (sooner, FirstPause);
    }

    /// <summary>When a question that is planned for <paramref name="planned"/> is asked if a session wants it asked now.</summary>
    public Instant Sooner(Instant now, Instant planned)
    {
        Instant due = Instant.Max(now, _recheckAt);
        if (due >= planned || planned == Instant.Never)
            return planned;
        _recheckAt = due + RecheckInterval;
        return due;
    }

    /// <summary>Has that not been said since there was an allocation?</summary>
    public bool IsNews(string sentence) => _told.Add(sentence);

    private static TimeSpan Twice(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;
}
