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
}
