using System.Net;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// Where a server listens besides its main address, so that its clients learn what their NATs do: with a second port whether they map for each
/// destination and how they choose ports, with a second address of the same machine everything. Nothing is registered or relayed there, but by TLS.
/// </summary>
// spec: RDV-20
public sealed record RendezvousAlternates
{
    /// <summary>The second port, at the same address; 0 takes any free one, null is none.</summary>
    public int? OtherPort { get; init; }

    /// <summary>True: when the second port cannot be had, the server starts without it, says so in its log, and is otherwise the same.</summary>
    public bool MayLackOtherPort { get; init; }

    /// <summary>A second address of this machine, of the same internet protocol, with its port; port 0 takes any free one.</summary>
    public IPEndPoint? OtherAddress { get; init; }

    /// <summary>How it is reached by TLS, if it is; everything that is served at the main address is served there too.</summary>
    // spec: RLY-10
    public RendezvousTlsOptions? Tls { get; init; }
}
