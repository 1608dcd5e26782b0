using System.Net;

namespace P2PMigrate.Lab;

/// <summary>
/// The addresses of labs whose sites are behind NATs. They exist in their namespaces only, so that all labs share them.
/// Where a kind of site has others, the lab knows them.
/// </summary>
public static class LabAddresses
{
    public static IPAddress Source { get; } = IPAddress.Parse("192.168.10.2");

    public static IPAddress Target { get; } = IPAddress.Parse("192.168.77.2");

    /// <summary>The public side of the NAT router before the source.</summary>
    public static IPAddress SourceNat { get; } = IPAddress.Parse("198.51.100.10");

    /// <summary>The public side of the NAT router before the target.</summary>
    public static IPAddress TargetNat { get; } = IPAddress.Parse("203.0.113.10");

    public static IPAddress Rendezvous { get; } = IPAddress.Parse("198.18.0.10");

    /// <summary>The rendezvous host's second address, for telling how a NAT maps.</summary>
    public static IPAddress RendezvousAlternate { get; } = IPAddress.Parse("198.18.0.11");

    public static IPAddress RendezvousV6 { get; } = IPAddress.Parse("2001:db8::10");

    /// <summary>The source's own address at a site that has IPv6.</summary>
    public static IPAddress SourceV6 { get; } = IPAddress.Parse("2001:db8:10:1::2");

    /// <summary>The target's, likewise.</summary>
    public static IPAddress TargetV6 { get; } = IPAddress.Parse("2001:db8:77:1::2");
}
