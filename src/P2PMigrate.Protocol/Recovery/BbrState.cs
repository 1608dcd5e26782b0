namespace P2PMigrate.Protocol.Recovery;

/// <summary>What <see cref="BbrController"/> is doing, in the order in which it does so.</summary>
internal enum BbrState
{
    /// <summary>Doubling the rate each round trip, until it does not deliver more.</summary>
    Startup,

    /// <summary>Emptying the queue that this has made.</summary>
    Drain,

    /// <summary>A cycle begins: somewhat slower than the path, until queue and headroom are free.</summary>
    Down,

    /// <summary>As fast as the path.</summary>
    Cruise,

    /// <summary>As fast as the path for one round trip, lower bounds forgotten: the path is filled before it is tried.</summary>
    Refill,

    /// <summary>Somewhat faster than the path was known to be.</summary>
    Up,

    /// <summary>For a fifth of a second at half of what fits on the path: no queue hides the round trip.</summary>
    ProbeRoundTrip,
}

/// <summary>Which part of bandwidth probing the acknowledgements that arrive now tell about.</summary>
internal enum BbrFeedback
{
    /// <summary>None.</summary>
    None,

    /// <summary>The filling of the path.</summary>
    Refilling,

    /// <summary>Probing has begun; its packets are on the way.</summary>
    Starting,

    /// <summary>The probing.</summary>
    Receiving,

    /// <summary>Probing is over; its last packets are on the way.</summary>
    Stopping,
}

/// <summary>Pacing and window gain of each state.</summary>
internal static class BbrGains
{
    /// <summary>Packets leave at so many times the bandwidth.</summary>
    public static double Pacing(BbrState state) => state switch
    {
        BbrState.Startup => 2.773,
        BbrState.Drain => 0.5,
        BbrState.Down => 0.9,
        BbrState.Up => 1.25,
        _ => 1,
    };

    /// <summary>So many times what fits on the path may be in flight.</summary>
    public static double Window(BbrState state) => state switch
    {
        BbrState.Up => 2.25,
        BbrState.ProbeRoundTrip => 0.5,
        _ => 2,
    };
}
