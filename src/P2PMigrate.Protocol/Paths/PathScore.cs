namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// How good a path is; smaller is better, and the order of the fields is the order of importance: a direct path before one
/// by TURN and that before a relayed one, then the shorter round trip, then the address, so that no two paths are equal.
/// </summary>
// spec: PATH-20
internal readonly record struct PathScore(PathKind Kind, TimeSpan RoundTrip)
{
    public static PathScore Of(CandidatePair pair) => new(pair.Kind, pair.RoundTrip.Smoothed);

    /// <summary>
    /// Is it worth moving from <paramref name="current"/> to this path? A better kind always; the same kind only when it
    /// is faster by more than <paramref name="hysteresis"/>.
    /// </summary>
    public bool IsWorthMovingFrom(PathScore current, TimeSpan hysteresis) =>
        Kind != current.Kind ? Kind < current.Kind : RoundTrip + hysteresis < current.RoundTrip;
}
