namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// What all sessions of an endpoint together may send to addresses that do not answer, so that no number of peers makes it a nuisance
/// to others. Paths that work are not counted: however many sessions there are, each notices that its own path dies. One owner, who
/// gives it to all sessions.
/// </summary>
// spec: PATH-84
public sealed class ProbeBudget
{
    /// <summary>Probes that may leave at once.</summary>
    // spec: CONST-249
    public const int Burst = 2048;

    /// <summary>Probes a second in the long run.</summary>
    // spec: CONST-249
    public const int PerSecond = 2000;

    private TokenBucket _probes = new(PerSecond, Burst);

    /// <summary>May another probe leave?</summary>
    internal bool TryTake(Instant now) => _probes.TryTake(now);
}
