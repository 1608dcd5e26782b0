namespace P2PMigrate.Lab;

/// <summary>Which outside port a NAT gives to one inside address and port (RFC 4787, section 4.1).</summary>
public enum NatMapping
{
    /// <summary>No translation: what is inside has public addresses.</summary>
    None,

    /// <summary>One outside port, whatever the destination; the inside port where it is free.</summary>
    EndpointIndependent,

    /// <summary>Another random outside port for each destination address and port.</summary>
    AddressAndPortDependent,
}

/// <summary>Whose packets a NAT lets in through a mapping (RFC 4787, section 5).</summary>
public enum NatFiltering
{
    /// <summary>Anybody's.</summary>
    EndpointIndependent,

    /// <summary>Only of an address to which the inside has sent, whatever the port.</summary>
    AddressDependent,

    /// <summary>Only of an address and port to which the inside has sent.</summary>
    AddressAndPortDependent,
}

/// <summary>The outside ports that one subscriber gets (RFC 7422), <paramref name="First"/> and <paramref name="Last"/> included.</summary>
public sealed record NatPortBlock(int First, int Last);

/// <summary>How a site of the lab is connected to the core, as data: what its router translates, lets in and lets out.</summary>
public sealed record NatKind(string Name, NatMapping Mapping, NatFiltering Filtering)
{
    /// <summary>
    /// The router takes packets that nobody asked for as meant for itself. Its connection table then holds their port when
    /// the inside opens that mapping a moment later, which gets another one.
    /// </summary>
    public bool TakesUnasked { get; init; }

    /// <summary>Where outside ports are drawn from; null for all of them.</summary>
    public NatPortBlock? Ports { get; init; }

    /// <summary>Two insides reach each other by their outside addresses. Needs <see cref="NatFiltering.EndpointIndependent"/>.</summary>
    public bool Hairpins { get; init; }

    /// <summary>The only thing that gets out is TCP to port 443.</summary>
    public bool BlocksUdp { get; init; }

    /// <summary>What the provider does to the router's own address; null when that is a public one.</summary>
    public NatKind? Provider { get; init; }

    /// <summary>The site has IPv6 too, behind a firewall that lets in what was asked for.</summary>
    public bool HasIPv6 { get; init; }

    /// <summary>The router maps ports when it is asked to: a <see cref="GatewayDaemon"/> runs on it.</summary>
    public bool MapsPorts { get; init; }

    /// <summary>No NAT and no firewall.</summary>
    public static NatKind Open { get; } = new("open", NatMapping.None, NatFiltering.EndpointIndependent);

    /// <summary>Lets everybody in through a mapping, insides too.</summary>
    public static NatKind FullCone { get; } =
        new("full-cone", NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent) { Hairpins = true };

    public static NatKind AddressRestricted { get; } =
        new("address-restricted", NatMapping.EndpointIndependent, NatFiltering.AddressDependent);

    /// <summary>The usual home router: endpoint-independent mapping, address-and-port-dependent filtering.</summary>
    public static NatKind PortRestricted { get; } =
        new("port-restricted", NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent);

    /// <summary>The same without a firewall of the router's own.</summary>
    public static NatKind Leaky { get; } = PortRestricted with { Name = "leaky", TakesUnasked = true };

    /// <summary>A new random port for each destination: two of these cannot be punched through.</summary>
    public static NatKind Symmetric { get; } =
        new("symmetric", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent);

    /// <summary>The same within the thousand ports that a carrier's NAT gives to a subscriber.</summary>
    public static NatKind SymmetricBlock { get; } = Symmetric with { Name = "symmetric-block", Ports = new(40960, 41983) };

    /// <summary>A home router behind the provider's NAT.</summary>
    public static NatKind DoubleNat { get; } = PortRestricted with { Name = "double", Provider = PortRestricted };

    public static NatKind UdpBlocked { get; } = PortRestricted with { Name = "udp-blocked", BlocksUdp = true };

    /// <summary>IPv6 beside the NAT that is the hardest.</summary>
    public static NatKind IPv6 { get; } = Symmetric with { Name = "ipv6", HasIPv6 = true };

    /// <summary>The NAT that is the hardest, but it can be asked for a port.</summary>
    public static NatKind Gateway { get; } = Symmetric with { Name = "gateway", MapsPorts = true };

    public static IReadOnlyList<NatKind> All { get; } =
        [Open, FullCone, AddressRestricted, PortRestricted, Leaky, Symmetric, SymmetricBlock, DoubleNat, UdpBlocked, IPv6, Gateway];

    public static NatKind Parse(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new LabException($"`{name}` is no NAT kind: {string.Join(", ", All.Select(kind => kind.Name))}");

    public override string ToString() => Name;
}
