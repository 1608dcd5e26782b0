using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Simulation.Network;

/// <summary>What a <see cref="VirtualNat"/> is like, as data.</summary>
public sealed record NatBehaviour
{
    /// <summary>For which destinations a port stays the same.</summary>
    public NatMapping Mapping { get; init; } = NatMapping.EndpointIndependent;

    /// <summary>Whom it lets in.</summary>
    public NatFiltering Filtering { get; init; } = NatFiltering.AddressAndPortDependent;

    /// <summary>Which port a new mapping gets.</summary>
    public PortAllocation Allocation { get; init; } = PortAllocation.Preserving;

    /// <summary>Between two ports in a row.</summary>
    public short Step { get; init; } = 1;

    /// <summary>The ports of the block.</summary>
    public (ushort Low, ushort High) Block { get; init; } = (20_480, 21_503);

    /// <summary>Does an inside host reach another one by the outside address?</summary>
    public bool Hairpins { get; init; }

    /// <summary>How long a mapping stays that nobody uses.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How often somebody else behind it takes a port, on the average.</summary>
    public double PortsTakenPerSecond { get; init; }

    /// <summary>
    /// Does the router itself take in what came unasked, so that the connection which it remembers takes the port away from a
    /// mapping for the same two addresses (Linux with a masquerade and no filter)?
    /// </summary>
    public bool IsLeaky { get; init; }

    /// <summary>Does it hold what came unasked against its source, and keep that from this port for as long as a mapping lives?</summary>
    public bool IsGrudging { get; init; }

    /// <summary>Is no address translated: a mere firewall, or nothing?</summary>
    public bool IsTransparent { get; init; }

    public override string ToString() => IsTransparent
        ? Filtering == NatFiltering.EndpointIndependent ? "open" : $"firewall {Short(Filtering)}"
        : $"{Short(Mapping)}/{Short(Filtering)} {Allocation.ToString().ToLowerInvariant()}{(Hairpins ? " hairpin" : "")}{(IsLeaky ? " leaky" : "")}{(IsGrudging ? " grudging" : "")}";

    private static string Short(NatMapping mapping) =>
        mapping switch { NatMapping.EndpointIndependent => "EIM", NatMapping.AddressDependent => "ADM", _ => "APDM" };

    private static string Short(NatFiltering filtering) =>
        filtering switch { NatFiltering.EndpointIndependent => "EIF", NatFiltering.AddressDependent => "ADF", _ => "APDF" };
}
