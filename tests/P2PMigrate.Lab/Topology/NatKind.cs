namespace P2PMigrate.Lab;

/// <summary>Which outside port a NAT gives to one inside address and port (RFC 4787, section 4.1).</summary>
public enum NatMapping
{
    /// <summary>One outside port, whatever the destination; the inside port where it is free.</summary>
    EndpointIndependent,

    /// <summary>Another random outside port for each destination address and port.</summary>
    AddressAndPortDependent,
}

/// <summary>Whose packets a NAT lets in through a mapping (RFC 4787, section 5).</summary>
public enum NatFiltering
{
    /// <summary>Only of an address and port to which the inside has sent.</summary>
    AddressAndPortDependent,
}

/// <summary>How a NAT router of the lab behaves, as data.</summary>
public sealed record NatKind(string Name, NatMapping Mapping, NatFiltering Filtering)
{
    /// <summary>The usual home router: endpoint-independent mapping, address-and-port-dependent filtering.</summary>
    public static NatKind PortRestricted { get; } =
        new("port-restricted", NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent);

    /// <summary>A new random port for each destination: two of these cannot be punched through.</summary>
    public static NatKind Symmetric { get; } =
        new("symmetric", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent);

    public static IReadOnlyList<NatKind> All { get; } = [PortRestricted, Symmetric];

    public static NatKind Parse(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new LabException($"`{name}` is no NAT kind: {string.Join(", ", All.Select(kind => kind.Name))}");

    public override string ToString() => Name;
}
