namespace P2PMigrate.Protocol.Recovery;

/// <summary>Tunables of loss recovery; the defaults are those of protocol-spec/12-constants.md.</summary>
public sealed record RecoveryOptions
{
    /// <summary>The round trip that is assumed before one is measured.</summary>
    // spec: CONST-70
    public TimeSpan InitialRoundTrip { get; init; } = TimeSpan.FromMilliseconds(333);

    /// <summary>The longest probe timeout, however often it has fired.</summary>
    // spec: CONST-71
    public TimeSpan MaxProbeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How the rate on direct paths is controlled.</summary>
    public CongestionControl DirectPaths { get; init; } = CongestionControl.Bbr;

    /// <summary>How the rate on paths through a relay is controlled.</summary>
    public CongestionControl RelayedPaths { get; init; } = CongestionControl.Bbr;

    /// <summary>
    /// Data of a session leaves no faster than this, in bytes a second of IP packets, repetitions included; null: as fast as the path allows. What the rate gives in a
    /// moment may leave at once (REC-32); acknowledgements and probes are not counted.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">No positive finite number.</exception>
    // spec: MIG-122
    public double? MaxRate
    {
        get;
        init => field = value is null or (> 0 and < double.PositiveInfinity) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A rate is a positive number of bytes a second.");
    }
}

/// <summary>Ways to find out how fast a path can be used without harm to others.</summary>
public enum CongestionControl
{
    /// <summary>BBR, version 3: keeps queues short and random losses do not slow it down.</summary>
    Bbr,

    /// <summary>CUBIC with HyStart++: what most TCP senders do. Slows down for every loss.</summary>
    Cubic,
}
