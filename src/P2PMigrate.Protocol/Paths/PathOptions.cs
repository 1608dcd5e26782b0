namespace P2PMigrate.Protocol.Paths;

/// <summary>Tunables of probing and path choice; the defaults are those of protocol-spec/12-constants.md.</summary>
public sealed record PathOptions
{
    /// <summary>How often the primary path is probed while nothing else shows that it lives.</summary>
    // spec: CONST-41
    public TimeSpan PrimaryKeepAlive { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a standby path is probed.</summary>
    // spec: CONST-42
    public TimeSpan StandbyKeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A path of the same kind has to be faster by this much to become primary.</summary>
    // spec: CONST-43
    public TimeSpan RoundTripHysteresis { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Bytes of the first probe that tries whether a path carries data.</summary>
    // spec: CONST-44
    public int BaseDatagramSize { get; init; } = 1200;

    /// <summary>A path on which datagrams of this size do not pass carries no data.</summary>
    // spec: CONST-44
    public int MinDatagramSize { get; init; } = 1024;

    /// <summary>The longest datagram that the driver can send.</summary>
    public int MaxDatagramSize { get; init; } = TunnelConnection.MaxDatagramSize;
}
