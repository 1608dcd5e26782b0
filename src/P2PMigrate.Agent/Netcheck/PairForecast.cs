using P2PMigrate.Agent.Output;
using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Agent.Netcheck;

/// <summary>What a peer's NATs are like for somebody who wants to be direct.</summary>
internal enum NatClass
{
    /// <summary>Not learned.</summary>
    Unknown,

    /// <summary>Everybody may send to the outside address: no NAT, a full cone, or a port that the gateway maps.</summary>
    Open,

    /// <summary>The outside address is known, and both sides have to send.</summary>
    Cone,

    /// <summary>Another port for each destination, which can be foretold.</summary>
    Sequential,

    /// <summary>Another port for each destination, out of a range of some thousand at most.</summary>
    Block,

    /// <summary>Another port for each destination, any.</summary>
    Random,
}

/// <summary>Which pairs of NATs can be direct.</summary>
internal static class PairForecast
{
    private const string Direct = "direct", Guessing = "by guessing", Relay = "relay";

    private static readonly (NatClass Class, string Words)[] s_peers =
    [
        (NatClass.Open, "without a NAT, or with an open port"),
        (NatClass.Cone, "behind a home router"),
        (NatClass.Sequential, "behind a NAT with a port for each destination, in sequence"),
        (NatClass.Block, "behind a provider's NAT with a block of ports"),
        (NatClass.Random, "behind a NAT with a random port for each destination"),
    ];

    /// <summary>The class of a profile; <paramref name="isMapped"/>: a gateway sends a port of the outside address here.</summary>
    public static NatClass ClassOf(NatProfile profile, bool isMapped = false) => (profile.Mapping, profile.Allocation) switch
    {
        _ when isMapped => NatClass.Open,
        (NatMapping.Unknown, _) => NatClass.Unknown,
        (NatMapping.EndpointIndependent, _) => profile.Filtering == NatFiltering.EndpointIndependent ? NatClass.Open : NatClass.Cone,
        (_, PortAllocation.Preserving) => NatClass.Cone,
        (_, PortAllocation.Sequential) => NatClass.Sequential,
        (_, PortAllocation.Block) => NatClass.Block,
        _ => NatClass.Random,
    };

    /// <summary>How sessions go with each kind of peer.</summary>
    public static IReadOnlyList<PairOutlook> For(NatClass own) => own == NatClass.Unknown
        ? []
        : [.. s_peers.Select(peer => new PairOutlook(peer.Words, WayBetween(own, peer.Class)))];

    /// <summary>The way between two classes.</summary>
    public static string WayBetween(NatClass one, NatClass other) => (Min(one, other), Max(one, other)) switch
    {
        (NatClass.Open, _) or (NatClass.Cone, NatClass.Cone) => Direct,
        (NatClass.Cone, _) or (NatClass.Sequential, _) or (NatClass.Block, NatClass.Block) => Guessing,
        _ => Relay,
    };

    private static NatClass Min(NatClass one, NatClass other) => one < other ? one : other;

    private static NatClass Max(NatClass one, NatClass other) => one < other ? other : one;
}
