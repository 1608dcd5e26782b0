using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace P2PMigrate.Rendezvous;

/// <summary>How a rendezvous server is reached by TLS where UDP does not get through. Everything that grows has its limit here.</summary>
/// <remarks>spec: RLY-16.</remarks>
public sealed record RendezvousTlsOptions
{
    /// <summary>The port that peers try.</summary>
    public const int DefaultPort = 443;

    /// <summary>Where to listen; port 0 takes any free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>
    /// The certificate to show; null for one that is made at the start. Peers do not look at it: it only has to please what is
    /// between them and the server.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Connections at a time.</summary>
    public int MaxConnections { get; init; } = 4_096;

    /// <summary>Connections of one host, or of one IPv6 network of 64 bits.</summary>
    public int MaxConnectionsPerHost { get; init; } = 64;

    /// <summary>Connections of one site: of IPv6 a network of 56 bits, of IPv4 a host.</summary>
    // spec: RDV-51, CONST-292
    public int MaxConnectionsPerSite { get; init; } = 256;

    /// <summary>Connections of one area: of IPv6 a network of 48 bits, in which a carrier has thousands of customers; of IPv4 a host.</summary>
    // spec: RDV-51, CONST-292
    public int MaxConnectionsPerArea { get; init; } = 2_048;

    /// <summary>Bytes that may wait for all connections together, to be sent or to be looked at, beside 32 KiB for each of them.</summary>
    // spec: RLY-33, CONST-293
    public long MaxWaitingBytes { get; init; } = 64 << 20;

    /// <summary>How long a connection may take until its first datagram.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A connection on which no datagram comes for this long is closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(75);
}
