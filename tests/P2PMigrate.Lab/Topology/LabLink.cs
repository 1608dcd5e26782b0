namespace P2PMigrate.Lab;

/// <summary>One end of a link: an interface of a node, with its addresses in prefix form.</summary>
internal sealed record LinkEnd(string Node, string Interface, params string[] Addresses);

/// <summary>A veth pair. <paramref name="Up"/> is the end nearer to the core; the other end's node calls this link its uplink.</summary>
internal sealed record LabLink(LinkEnd Down, LinkEnd Up)
{
    /// <summary>What the emulator makes of it, such as <c>delay=15ms</c>, with one name for both interfaces; null for a bare pair.</summary>
    public string? Emulation { get; init; }
}

/// <summary>Interfaces of a node that are one network.</summary>
internal sealed record LabBridge(LinkEnd Itself, IReadOnlyList<string> Ports, bool KeepsPortsApart);

/// <summary>A route of a node.</summary>
internal sealed record LabRoute(string Node, string Destination, string Gateway);

/// <summary>A router that translates or filters.</summary>
internal sealed record LabNat(string Node, NatRules Rules);
