using System.Net;

namespace P2PMigrate.Lab;

/// <summary>The addresses of every lab. They exist in its namespaces only, so that all labs share them.</summary>
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
}
