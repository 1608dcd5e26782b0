using System.Net;

namespace P2PMigrate.Lab;

/// <summary>
/// Who is connected to whom. Every lab has the same nodes and links, README.md beside the project draws them; what differs
/// with the <see cref="LabPlan"/> is addresses, routes and what the routers do, and behind whose router the target is.
/// </summary>
internal sealed class LabMap
{
    public const string Source = "source";
    public const string Target = "target";
    public const string Rendezvous = "rendezvous";
    public const string Core = "core";
    public const string SourceNat = "nat-source";
    public const string TargetNat = "nat-target";
    public const string SourceEdge = "edge-source";
    public const string TargetEdge = "edge-target";

    private LabMap(LabPlan plan)
    {
        Links = [.. Homes(plan), .. LabSite.Source.Uplinks(plan.SourceNat), .. LabSite.Target.Uplinks(plan.TargetNat), Services(plan)];
        Bridges = [.. SharedHome(plan)];
        Routes = [.. RoutesOf(plan)];
        Nats = [.. NatsOf(LabSite.Source, plan.SourceNat), .. NatsOf(LabSite.Target, plan.TargetNat)];
    }

    /// <summary>What the peers run on.</summary>
    public static IReadOnlyList<string> Hosts { get; } = [Source, Target];

    /// <summary>Plain namespaces: routers and the rendezvous host.</summary>
    public static IReadOnlyList<string> Others { get; } = [Rendezvous, Core, SourceNat, TargetNat, SourceEdge, TargetEdge];

    public static IReadOnlyList<string> Routers { get; } = [Core, SourceNat, TargetNat, SourceEdge, TargetEdge];

    public static IEnumerable<string> Nodes => Hosts.Concat(Others);

    public IReadOnlyList<LabLink> Links { get; }

    public IReadOnlyList<LabBridge> Bridges { get; }

    /// <summary>The core has no default route, as the real one has none: private addresses end there as unreachable.</summary>
    public IReadOnlyList<LabRoute> Routes { get; }

    public IReadOnlyList<LabNat> Nats { get; }

    public static LabMap Of(LabPlan plan) => new(plan);

    /// <summary>The link between a node and the network around it.</summary>
    public LabLink UplinkOf(string node) => Links.FirstOrDefault(link => link.Down.Node == node)
        ?? throw new LabException($"`{node}` has no uplink to cut");

    /// <summary>The IPv4 address of a host itself.</summary>
    public IPAddress AddressOf(string host) => IPAddress.Parse(UplinkOf(host).Down.Addresses[0].Split('/')[0]);

    /// <summary>The IPv4 address that the core sees of a host.</summary>
    public static IPAddress OutsideAddressOf(string host, LabPlan plan) =>
        host == Source || plan.Sharing != NatSharing.None
            ? OutsideAddressOf(LabSite.Source, plan.SourceNat, host, plan)
            : OutsideAddressOf(LabSite.Target, plan.TargetNat, host, plan);

    private static IPAddress OutsideAddressOf(LabSite site, NatKind kind, string host, LabPlan plan) =>
        kind.Mapping == NatMapping.None ? Of(plan).AddressOf(host) : kind.Provider is null ? site.RouterAddress(kind) : site.EdgeAddress;

    private static IEnumerable<LabLink> Homes(LabPlan plan)
    {
        LabLink source = LabSite.Source.HomeLink(plan.SourceNat);
        if (plan.Sharing == NatSharing.None) return [source, LabSite.Target.HomeLink(plan.TargetNat)];
        string[] third = [.. source.Down.Addresses.Select(address => address.Replace("2/", "3/", StringComparison.Ordinal))];
        return
        [
            source with { Up = new LinkEnd(SourceNat, "lan-source") },
            new LabLink(new LinkEnd(Target, "eth0", third), new LinkEnd(SourceNat, "lan-target")),
        ];
    }

    private static IEnumerable<LabBridge> SharedHome(LabPlan plan)
    {
        if (plan.Sharing == NatSharing.None) yield break;
        var lan = new LinkEnd(SourceNat, "lan", LabSite.Source.HomeRouterAddresses(plan.SourceNat));
        yield return new LabBridge(lan, ["lan-source", "lan-target"], plan.Sharing == NatSharing.ApartOnOneLan);
    }

    private static LabLink Services(LabPlan plan) => new(
        new(
            Rendezvous, plan.RendezvousLeg is null ? "eth0" : "services",
            $"{LabAddresses.Rendezvous}/24", $"{LabAddresses.RendezvousAlternate}/24", $"{LabAddresses.RendezvousV6}/64"),
        new(Core, "services", "198.18.0.1/24", "2001:db8::1/64")) { Emulation = plan.RendezvousLeg };

    private static IEnumerable<LabRoute> RoutesOf(LabPlan plan)
    {
        LabRoute[] targets = plan.Sharing == NatSharing.None
            ? [.. LabSite.Target.HostRoutes(Target, plan.TargetNat)]
            : [.. LabSite.Source.HostRoutes(Target, plan.SourceNat)];
        return
        [
            .. LabSite.Source.HostRoutes(Source, plan.SourceNat), .. targets,
            .. LabSite.Source.RouterRoutes(plan.SourceNat), .. LabSite.Target.RouterRoutes(plan.TargetNat),
            new(Rendezvous, "default", "198.18.0.1"), new(Rendezvous, "default", "2001:db8::1"),
        ];
    }

    private static IEnumerable<LabNat> NatsOf(LabSite site, NatKind kind)
    {
        yield return new(site.Router, new NatRules(kind, "lan", "wan", site.RouterAddress(kind)));
        if (kind.Provider is { } provider) yield return new(site.Edge, new NatRules(provider, "access", "backbone", site.EdgeAddress));
    }
}
