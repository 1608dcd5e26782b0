namespace P2PMigrate.Lab;

/// <summary>Who is connected to whom: the one topology of all labs. README.md beside the project draws it.</summary>
internal static class LabMap
{
    public const string Source = "source";
    public const string Target = "target";
    public const string Rendezvous = "rendezvous";
    public const string Core = "core";
    public const string SourceNat = "nat-source";
    public const string TargetNat = "nat-target";
    public const string SourceEdge = "edge-source";
    public const string TargetEdge = "edge-target";

    /// <summary>The virtual hosts.</summary>
    public static IReadOnlyList<string> Hosts { get; } = [Source, Target];

    /// <summary>Plain namespaces: routers and the rendezvous host.</summary>
    public static IReadOnlyList<string> Others { get; } = [Rendezvous, Core, SourceNat, TargetNat, SourceEdge, TargetEdge];

    public static IReadOnlyList<string> Routers { get; } = [Core, SourceNat, TargetNat, SourceEdge, TargetEdge];

    public static IReadOnlyList<LabLink> Links { get; } =
    [
        new(new(Source, "eth0", $"{LabAddresses.Source}/24"), new(SourceNat, "lan", "192.168.10.1/24")),
        new(new(SourceNat, "wan", $"{LabAddresses.SourceNat}/24"), new(SourceEdge, "access", "198.51.100.1/24")),
        new(new(SourceEdge, "backbone", "198.18.1.2/30"), new(Core, "to-source", "198.18.1.1/30")),
        new(new(Target, "eth0", $"{LabAddresses.Target}/24"), new(TargetNat, "lan", "192.168.77.1/24")),
        new(new(TargetNat, "wan", $"{LabAddresses.TargetNat}/24"), new(TargetEdge, "access", "203.0.113.1/24")),
        new(new(TargetEdge, "backbone", "198.18.2.2/30"), new(Core, "to-target", "198.18.2.1/30")),
        new(new(Rendezvous, "eth0", $"{LabAddresses.Rendezvous}/24", $"{LabAddresses.RendezvousAlternate}/24"), new(Core, "services", "198.18.0.1/24")),
    ];

    /// <summary>The core has no default route, as the real one has none: private addresses end there as unreachable.</summary>
    public static IReadOnlyList<LabRoute> Routes { get; } =
    [
        new(Source, "default", "192.168.10.1"),
        new(SourceNat, "default", "198.51.100.1"),
        new(SourceEdge, "default", "198.18.1.1"),
        new(Target, "default", "192.168.77.1"),
        new(TargetNat, "default", "203.0.113.1"),
        new(TargetEdge, "default", "198.18.2.1"),
        new(Rendezvous, "default", "198.18.0.1"),
        new(Core, "198.51.100.0/24", "198.18.1.2"),
        new(Core, "203.0.113.0/24", "198.18.2.2"),
    ];

    /// <summary>The link between a node and the network around it.</summary>
    public static LabLink UplinkOf(string node) => Links.FirstOrDefault(link => link.Down.Node == node)
        ?? throw new LabException($"`{node}` has no uplink to cut");
}
