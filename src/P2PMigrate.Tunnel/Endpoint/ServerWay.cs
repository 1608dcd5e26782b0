using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>How messages and relay frames go to a server.</summary>
internal enum ServerWayKind
{
    /// <summary>Not known yet, or no longer: everything is asked.</summary>
    None,

    /// <summary>By UDP.</summary>
    Udp,

    /// <summary>By a TLS connection.</summary>
    Stream,
}

/// <summary>
/// Chooses the way to one server, as a pure machine: UDP as long as it answers; a TLS connection when it does not; UDP again as soon
/// as it answers again, while the connection still stands. Loop only.
/// <code>
///             UDP answers                    a probe by UDP answers
///   None ---------------------> Udp &lt;------------------------------- Stream
///    | ^ \                      |  UDP is late, the stream answers     ^ |
///    | |  \                     +---------------------------------------+ |
///    | |   +------------ the stream answers -------------------------->  |
///    | +--- silence by every way, or the stream that carried ended ------+
///
///   way      asked by                                 a connection
///   None     everything there is                      is made when the head start is over
///   Udp      UDP; the stream too while UDP is late    is made when UDP is late, ends when it has lingered
///   Stream   the stream; UDP by probes                stays, or is dropped when it owes an answer
/// </code>
/// </summary>
// spec: RLY-14, RLY-15, RLY-17
internal sealed class ServerWay
{
    /// <summary>How long UDP may keep silence before TLS is tried, at least.</summary>
    // spec: CONST-263
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(150);

    /// <summary>The same at most, however long the round trip.</summary>
    // spec: CONST-263
    public static readonly TimeSpan LongestHeadStart = TimeSpan.FromSeconds(1);

    /// <summary>After a connection failed; doubles.</summary>
    // spec: CONST-264
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between two attempts to connect.</summary>
    // spec: CONST-264
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    /// <summary>Until UDP is asked again while TLS carries; doubles.</summary>
    // spec: CONST-265
    public static readonly TimeSpan FirstProbe = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between two such questions.</summary>
    // spec: CONST-265
    public static readonly TimeSpan LongestProbe = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection is kept that carries nothing any more.</summary>
    // spec: CONST-266
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection by which a request went may bring nothing at all.</summary>
    // spec: CONST-271
    public static readonly TimeSpan StreamPatience = TimeSpan.FromSeconds(3);

    private Instant? _waitingSince;
    private Instant? _streamAskedAt;
    private TimeSpan _headStart = HeadStart;
    private bool _isOpening;
    private bool _isStreamOfUse;
    private Instant _retryAt;
    private TimeSpan _retryDelay = FirstRetry;
    private Instant _probeAt = Instant.Never;
    private TimeSpan _probeDelay = FirstProbe;
    private Instant _closeAt = Instant.Never;

    /// <summary>The way that answered last.</summary>
    public ServerWayKind Current { get; private set; }

    /// <summary>Is there a connection?</summary>
    public bool IsStreamOpen { get; private set; }

    /// <summary>When one of the wishes becomes true.</summary>
    public Instant NextTimeout(bool hasStreams)
    {
        Instant stream = hasStreams && !IsStreamOpen && !_isOpening && _waitingSince is { } since ? Instant.Max(since + _headStart, _retryAt) : Instant.Never;
        Instant drop = _streamAskedAt is { } asked ? asked + StreamPatience : Instant.Never;
        return Instant.Min(Instant.Min(stream, drop), Instant.Min(_probeAt, _closeAt));
    }

    /// <summary>Has the present way left a question unanswered for too long, so that all ways are asked?</summary>
    public bool IsLate(Instant now) => _waitingSince is { } since && now - since >= _headStart;

    /// <summary>Something was sent that wants an answer.</summary>
    public void HandleRequest(Instant now)
    {
        _waitingSince ??= now;
        if (IsStreamOpen && (Current != ServerWayKind.Udp || IsLate(now)))
            _streamAskedAt ??= now;
    }

    /// <summary>The server answered. True when messages take another way from now on.</summary>
    public bool HandleAnswer(Instant now, bool byStream)
    {
        ServerWayKind kind = byStream ? ServerWayKind.Stream : ServerWayKind.Udp;
        if (byStream)
            _streamAskedAt = null;
        if (kind != Current && Current != ServerWayKind.None && !(byStream && IsLate(now)))
            return false; // The way that was left still brings what was under way; UDP is taken back by a probe only.
        if (!byStream && _waitingSince is { } since)
            _headStart = TimeSpan.FromTicks(Math.Clamp(2 * (now - since).Ticks, HeadStart.Ticks, LongestHeadStart.Ticks));
        _waitingSince = null;
        return Enter(now, kind);
    }

    /// <summary>UDP answered a probe. True when messages take another way from now on.</summary>
    public bool HandleProbeAnswered(Instant now)
    {
        if (Current != ServerWayKind.Stream)
            return false;
        _waitingSince = null;
        return Enter(now, ServerWayKind.Udp);
    }

    /// <summary>The server says nothing at all, by no way.</summary>
    public void HandleSilence(Instant now) => Enter(now, ServerWayKind.None);

    /// <summary>A connection stands, or could not be made.</summary>
    public void HandleOpened(Instant now, bool isOpen)
    {
        (_isOpening, IsStreamOpen, _isStreamOfUse, _streamAskedAt) = (false, isOpen, false, null);
        _closeAt = isOpen && Current == ServerWayKind.Udp ? now + Linger : Instant.Never;
        if (!isOpen)
            BackOff(now);
    }

    /// <summary>The connection ended. One by which no answer came leads to somebody else, and is as good as none.</summary>
    public void HandleEnded(Instant now)
    {
        (IsStreamOpen, _closeAt, _streamAskedAt) = (false, Instant.Never, null);
        if (!_isStreamOfUse)
            BackOff(now);
        if (Current != ServerWayKind.Stream)
            return;
        Enter(now, ServerWayKind.None);
        _waitingSince = now - _headStart;
    }

    /// <summary>The machine is somewhere else now: what did not work may work.</summary>
    public void HandleNetworkChange(Instant now)
    {
        (_retryAt, _retryDelay) = (now, FirstRetry);
        if (Current == ServerWayKind.Stream)
            (_probeAt, _probeDelay) = (now, FirstProbe);
    }

    /// <summary>Shall a connection be made? Whoever hears yes makes it.</summary>
    public bool TakeOpenWish(Instant now)
    {
        bool isWanted = !IsStreamOpen && !_isOpening && IsLate(now) && now >= _retryAt;
        _isOpening |= isWanted;
        return isWanted;
    }

    /// <summary>Shall UDP be asked whether it works again? Whoever hears yes asks.</summary>
    public bool TakeProbeWish(Instant now)
    {
        if (now < _probeAt)
            return false;
        _probeAt = now + _probeDelay;
        _probeDelay = Twice(_probeDelay, LongestProbe);
        return true;
    }

    /// <summary>Shall the connection be ended? Whoever hears yes ends it.</summary>
    public bool TakeCloseWish(Instant now)
    {
        if (now < _closeAt)
            return false;
        bool isIdle = _waitingSince is null;
        _closeAt = isIdle ? Instant.Never : now + Linger;
        _isStreamOfUse |= isIdle; // It ends because it is not needed, not because it is no good.
        return isIdle;
    }

    /// <summary>
    /// Is the connection dead, though nobody has said so? Whoever hears yes drops it. <paramref name="silence"/> is how long nothing at
    /// all has come by it: messages may be lost on a full connection, while frames still come.
    /// </summary>
    // spec: RLY-17
    public bool TakeDropWish(Instant now, TimeSpan silence)
    {
        if (_streamAskedAt is not { } asked || now < asked + StreamPatience)
            return false;
        bool isDead = silence >= StreamPatience;
        _streamAskedAt = isDead ? null : now - silence;
        return isDead;
    }

    private bool Enter(Instant now, ServerWayKind kind)
    {
        if (kind == Current)
            return false;
        Current = kind;
        (_probeAt, _probeDelay) = (kind == ServerWayKind.Stream ? now + FirstProbe : Instant.Never, Twice(FirstProbe, LongestProbe));
        _closeAt = kind == ServerWayKind.Udp && IsStreamOpen ? now + Linger : Instant.Never;
        if (kind == ServerWayKind.Stream)
            (_retryDelay, _isStreamOfUse) = (FirstRetry, true);
        else if (kind == ServerWayKind.Udp)
            _streamAskedAt = null;
        return true;
    }

    private void BackOff(Instant now)
    {
        _retryAt = now + _retryDelay;
        _retryDelay = Twice(_retryDelay, LongestRetry);
    }

    private static TimeSpan Twice(TimeSpan delay, TimeSpan limit) => TimeSpan.FromTicks(Math.Min(2 * delay.Ticks, limit.Ticks));
}
