using P2PMigrate.Agent.Output;
using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Agent.Netcheck;

/// <summary>Which pairs of NATs can be direct: what the two peers' endpoints will do about them, in words.</summary>
// spec: PATH-70
internal static class PairForecast
{
    private const string Direct = "direct", Guessing = "by guessing", Relay = "relay";

    /// <summary>Nothing in between, a full cone, or a port that a gateway maps.</summary>
    private static readonly NatProfile s_open = new() { Mapping = NatMapping.EndpointIndependent, Filtering = NatFiltering.EndpointIndependent };

    private static readonly (NatProfile Nat, string Words)[] s_peers =
    [
        (s_open, "without a NAT, or with an open port"),
        (s_open with { Filtering = NatFiltering.AddressAndPortDependent }, "behind a home router"),
        (Varying(PortAllocation.Sequential), "behind a NAT with a port for each destination, in sequence"),
        (Varying(PortAllocation.Block), "behind a provider's NAT with a block of ports"),
        (Varying(PortAllocation.Random), "behind a NAT with a random port for each destination"),
    ];

    /// <summary>How sessions go with each kind of peer where UDP does not get out.</summary>
    public static IReadOnlyList<PairOutlook> WithoutUdp { get; } = [.. s_peers.Select(peer => new PairOutlook(peer.Words, Relay))];

    /// <summary>How sessions go with each kind of peer; <paramref name="isMapped"/>: a gateway sends a port of the outside address here.</summary>
    public static IReadOnlyList<PairOutlook> For(NatProfile own, bool isMapped) => own.Mapping == NatMapping.Unknown && !isMapped
        ? []
        : [.. s_peers.Select(peer => new PairOutlook(peer.Words, WayBetween(isMapped ? s_open : own, peer.Nat)))];

    /// <summary>The way between two NATs, both of which are known.</summary>
    public static string WayBetween(NatProfile one, NatProfile other) => (IsFixed(one), IsFixed(other)) switch
    {
        (true, true) => Direct,
        (true, false) => LetsStrangersIn(one) ? Direct : Guessing,
        (false, true) => LetsStrangersIn(other) ? Direct : Guessing,
        _ => HasFewPorts(one) && HasFewPorts(other) ? Guessing : Relay,
    };

    private static bool IsFixed(NatProfile nat) => nat.Mapping == NatMapping.EndpointIndependent;

    // Whose filter does not look at ports needs to know none.
    private static bool LetsStrangersIn(NatProfile nat) => nat.Filtering is NatFiltering.EndpointIndependent or NatFiltering.AddressDependent;

    private static bool HasFewPorts(NatProfile nat) => nat.Allocation is PortAllocation.Sequential or PortAllocation.Block;

    private static NatProfile Varying(PortAllocation allocation) =>
        new() { Mapping = NatMapping.AddressAndPortDependent, Filtering = NatFiltering.AddressAndPortDependent, Allocation = allocation };
}
