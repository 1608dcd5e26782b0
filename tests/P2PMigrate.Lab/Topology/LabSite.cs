using System.Net;

namespace P2PMigrate.Lab;

/// <summary>One side of the map, from the host to the core, and the addresses that its networks may have.</summary>
internal sealed record LabSite(string Host, string Router, string Edge, string CoreInterface)
{
    /// <summary>Home, when the router translates. As all of these: the first three numbers of an IPv4 network.</summary>
    public required string Home { get; init; }

    /// <summary>Home, when it does not.</summary>
    public required string PublicHome { get; init; }

    /// <summary>Between the router and its provider.</summary>
    public required string Access { get; init; }

    /// <summary>The same when the provider translates (RFC 6598).</summary>
    public required string SharedAccess { get; init; }

    /// <summary>Between the provider and the core; a /30.</summary>
    public required string Backbone { get; init; }

    /// <summary>The site's IPv6 network, a /48: its first three groups.</summary>
    public required string Prefix { get; init; }

    public static LabSite Source { get; } = new(LabMap.Source, LabMap.SourceNat, LabMap.SourceEdge, "to-source")
    {
        Home = "192.168.10",
        PublicHome = "198.18.10",
        Access = "198.51.100",
        SharedAccess = "100.64.10",
        Backbone = "198.18.1",
        Prefix = "2001:db8:10",
    };

    public static LabSite Target { get; } = new(LabMap.Target, LabMap.TargetNat, LabMap.TargetEdge, "to-target")
    {
        Home = "192.168.77",
        PublicHome = "198.18.77",
        Access = "203.0.113",
        SharedAccess = "100.64.77",
        Backbone = "198.18.2",
        Prefix = "2001:db8:77",
    };

    public string HomeUnder(NatKind kind) => kind.Mapping == NatMapping.None ? PublicHome : Home;

    public string AccessUnder(NatKind kind) => kind.Provider is null ? Access : SharedAccess;

    /// <summary>The router's address to the outside.</summary>
    public IPAddress RouterAddress(NatKind kind) => IPAddress.Parse($"{AccessUnder(kind)}.10");

    /// <summary>The provider's, to the core.</summary>
    public IPAddress EdgeAddress => IPAddress.Parse($"{Backbone}.2");

    public LabLink HomeLink(NatKind kind) => new(
        new(Host, "eth0", [$"{HomeUnder(kind)}.2/24", .. kind.HasIPv6 ? [$"{Prefix}:1::2/64"] : (string[])[]]),
        new(Router, "lan", HomeRouterAddresses(kind)));

    public string[] HomeRouterAddresses(NatKind kind) => [$"{HomeUnder(kind)}.1/24", .. kind.HasIPv6 ? [$"{Prefix}:1::1/64"] : (string[])[]];

    /// <summary>From the router to the core.</summary>
    public IEnumerable<LabLink> Uplinks(NatKind kind) =>
    [
        new(new(Router, "wan", $"{AccessUnder(kind)}.10/24", $"{Prefix}:2::10/64"), new(Edge, "access", $"{AccessUnder(kind)}.1/24", $"{Prefix}:2::1/64")),
        new(new(Edge, "backbone", $"{Backbone}.2/30", $"{Prefix}:3::2/64"), new(LabMap.Core, CoreInterface, $"{Backbone}.1/30", $"{Prefix}:3::1/64")),
    ];

    /// <summary>A host's way out of a home network, whose ever it is.</summary>
    public IEnumerable<LabRoute> HostRoutes(string host, NatKind kind) =>
        [new(host, "default", $"{HomeUnder(kind)}.1"), .. kind.HasIPv6 ? [new(host, "default", $"{Prefix}:1::1")] : (LabRoute[])[]];

    /// <summary>Outwards by default; back only to what is public.</summary>
    public IEnumerable<LabRoute> RouterRoutes(NatKind kind)
    {
        yield return new(Router, "default", $"{AccessUnder(kind)}.1");
        yield return new(Router, "default", $"{Prefix}:2::1");
        yield return new(Edge, "default", $"{Backbone}.1");
        yield return new(Edge, "default", $"{Prefix}:3::1");
        yield return new(Edge, $"{Prefix}:1::/64", $"{Prefix}:2::10");
        yield return new(LabMap.Core, $"{Prefix}::/48", $"{Prefix}:3::2");
        if (kind.Provider is null) yield return new(LabMap.Core, $"{Access}.0/24", $"{Backbone}.2");
        if (kind.Mapping != NatMapping.None) yield break;
        yield return new(Edge, $"{PublicHome}.0/24", $"{Access}.10");
        yield return new(LabMap.Core, $"{PublicHome}.0/24", $"{Backbone}.2");
    }
}
