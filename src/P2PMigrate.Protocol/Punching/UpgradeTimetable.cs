namespace P2PMigrate.Protocol.Punching;

/// <summary>When a session without a direct path tries again from the start. One owner.</summary>
// spec: PATH-77
internal sealed class UpgradeTimetable
{
    /// <summary>Punching waits for what plain probes reach.</summary>
    // spec: CONST-245
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(300);

    // spec: CONST-245
    private static readonly TimeSpan[] s_attempts =
        [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60)];

    private Instant _since;
    private int _next;

    /// <summary>When the next attempt is due.</summary>
    public Instant NextAt { get; private set; } = Instant.Never;

    /// <summary>Is a direct path being looked for?</summary>
    public bool IsRunning { get; private set; }

    /// <summary>There is no direct path from now on.</summary>
    public void Begin(Instant now)
    {
        (_since, _next, IsRunning) = (now, 0, true);
        NextAt = now + s_attempts[0];
    }

    /// <summary>There is one.</summary>
    public void End() => (NextAt, IsRunning) = (Instant.Never, false);

    /// <summary>An attempt begins.</summary>
    public void Take()
    {
        _next++;
        NextAt = _next < s_attempts.Length ? _since + s_attempts[_next] : Instant.Never;
    }
}
