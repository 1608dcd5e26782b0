using P2PMigrate.Protocol.Nat;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>All kinds of NATs that matter to who gets through, and what may be expected of two of them.</summary>
public static class NatKinds
{
    /// <summary>No NAT, the fixed ones by their filter, the varying ones by mapping, filter and allocation.</summary>
    public static IReadOnlyList<NatBehaviour> All { get; } =
    [
        new() { IsTransparent = true, Filtering = NatFiltering.EndpointIndependent },
        new() { IsTransparent = true, Filtering = NatFiltering.AddressAndPortDependent },
        .. from filtering in Filterings select new NatBehaviour { Mapping = NatMapping.EndpointIndependent, Filtering = filtering },
        .. from mapping in new[] { NatMapping.AddressDependent, NatMapping.AddressAndPortDependent }
           from filtering in Filterings
           from allocation in new[] { PortAllocation.Sequential, PortAllocation.Block, PortAllocation.Random }
           select new NatBehaviour { Mapping = mapping, Filtering = filtering, Allocation = allocation },
    ];

    private static NatFiltering[] Filterings => [NatFiltering.EndpointIndependent, NatFiltering.AddressDependent, NatFiltering.AddressAndPortDependent];

    /// <summary>What is to become of two peers behind these, by the table of the specification.</summary>
    // spec: PATH-70
    public static Expectation Expect(NatBehaviour one, NatBehaviour other)
    {
        if (IsFixed(one) || IsFixed(other))
            return Expectation.Direct;
        if (one.Allocation == PortAllocation.Random || other.Allocation == PortAllocation.Random)
            return Expectation.Connected;
        return one.Allocation == other.Allocation && IsStrict(one) && IsStrict(other) ? Expectation.Direct : Expectation.MostlyDirect;
    }

    // A varying NAT that lets in by less than the port is deceptive: what comes in at any of its ports is answered from another
    // one, and such half-open ways take the places of those that work.
    private static bool IsStrict(NatBehaviour kind) => kind.Filtering == NatFiltering.AddressAndPortDependent;

    /// <summary>The same kind with everything that should not matter chosen by chance.</summary>
    public static NatBehaviour Vary(NatBehaviour kind, SeededGenerator generator) => kind with
    {
        Allocation = IsFixed(kind) ? generator.Pick(PortAllocation.Preserving, PortAllocation.Sequential, PortAllocation.Block, PortAllocation.Random) : kind.Allocation,
        Hairpins = generator.Chance(0.5),
        Lifetime = generator.Pick(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(120)),
        Step = generator.Pick<short>(1, 2, -1, 4),
        PortsTakenPerSecond = generator.Pick(0.0, 1, 5),
    };

    private static bool IsFixed(NatBehaviour kind) => kind.IsTransparent || kind.Mapping == NatMapping.EndpointIndependent;
}

/// <summary>What a pair of NATs lets one expect.</summary>
public enum Expectation
{
    /// <summary>Data flows, over the relay if need be.</summary>
    Connected,

    /// <summary>Most runs find a direct path.</summary>
    MostlyDirect,

    /// <summary>Every run does.</summary>
    Direct,
}
