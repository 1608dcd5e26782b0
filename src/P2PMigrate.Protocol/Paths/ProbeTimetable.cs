namespace P2PMigrate.Protocol.Paths;

/// <summary>When a pair is probed: fast and in step with the peer at first, by round trips once it answers, then to keep it alive.</summary>
internal sealed class ProbeTimetable(PathOptions options)
{
    /// <summary>Bytes of a probe to an address that has proven nothing; an answer is never longer.</summary>
    // spec: CONST-49
    public const int SmallDatagram = 96;

    /// <summary>Probes that may leave at once, all pairs of a session together: label 0 has no congestion control.</summary>
    // spec: PATH-04, CONST-47
    public const int ProbeBurst = 256;

    /// <summary>Probes a second in the long run, all pairs of a session together.</summary>
    // spec: CONST-48
    public const int ProbesPerSecond = 200;

    /// <summary>The first gap between two probes of a pair, and the smallest.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private const int MaxUnansweredFull = 6;
    private const int MaxUnansweredValidated = 6;
    private const int MaxShift = 20;

    private static readonly TimeSpan s_maxProbingGap = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_maxRetry = TimeSpan.FromSeconds(1);

    // While the primary is direct, other pairs get this long to show that they are better.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    /// <summary>How often a path is probed while all is well.</summary>
    // spec: PATH-24
    public TimeSpan KeepAlive(bool isPrimary) => isPrimary ? options.PrimaryKeepAlive : options.StandbyKeepAlive;

    /// <summary>
    /// The next probe after one that was just counted. Of an unanswered pair: 10, 20, 40, 80 … ms after the first, so
    /// that the two peers stay in step. Of a pair in doubt or not yet validated: four times half a round trip later.
    /// Of others: one answer's time later, doubling, until it is answered.
    /// </summary>
    // spec: PATH-01
    public Instant NextAfterProbe(Instant now, CandidatePair pair, bool isPrimary)
    {
        if (pair.State == PairState.Probing && !isPrimary)
        {
            TimeSpan offset = Step * (1 << Math.Min(pair.ProbeCount - 1, MaxShift));
            Instant next = pair.ProbingSince + offset;
            return next > now + s_maxProbingGap ? now + s_maxProbingGap : Instant.Max(next, now + Step);
        }

        if ((pair.Check.IsOpen || !pair.IsUsable) && pair.Unanswered < PathSelector.SuspectAfter)
        {
            // Data waits for the verdict on its path, or for a path to take: the last probe before the verdict leaves when the
            // first one's answer is overdue by half a round trip.
            TimeSpan half = pair.PresentRoundTrip.Smoothed / 2;
            return now + (half > Step ? half : Step);
        }

        TimeSpan retry = pair.RoundTrip.Timeout * (1 << Math.Min(pair.Unanswered - 1, MaxShift));
        retry = retry < s_maxRetry ? retry : s_maxRetry;
        TimeSpan keepAlive = KeepAlive(isPrimary);
        return now + (retry < keepAlive ? retry : keepAlive);
    }

    /// <summary>How soon the peer's probe makes us probe the same pair: at once, but not more often than every 10 ms.</summary>
    public static TimeSpan TriggeredDelay(CandidatePair pair) => pair.ProbeCount == 0 ? TimeSpan.Zero : Step;

    /// <summary>Once the primary path is direct, pairs that never answered are left alone after a while.</summary>
    public static bool IsWorthProbing(Instant now, CandidatePair pair, CandidatePair? primary) =>
        pair.State != PairState.Probing || primary is not { Kind: PathKind.Direct }
        || PathSelector.IsSuspect(primary) || now - pair.ProbingSince < s_grace;

    /// <summary>Has silence lasted so long that the pair has to start again?</summary>
    public static bool HasFailed(CandidatePair pair) => pair.State switch
    {
        PairState.Answered => pair.Unanswered > MaxUnansweredFull,
        PairState.Validated => pair.Unanswered > MaxUnansweredValidated,
        _ => false,
    };
}
