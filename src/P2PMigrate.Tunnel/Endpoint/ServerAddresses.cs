using System.Net;
using System.Net.Sockets;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// The addresses of a rendezvous server's name, at least one, in an order that does not depend on the resolver: peers that
/// are to meet shall prefer the same one.
/// </summary>
// spec: RDV-18
internal sealed class ServerAddresses
{
    /// <summary>Addresses of one name that are tried.</summary>
    // spec: CONST-69
    public const int MaxCount = 4;

    /// <summary>How long an address is asked before the next one is asked too.</summary>
    // spec: CONST-69
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>As given, best first.</summary>
    public ServerAddresses(params NetworkAddress[] all) => All = all;

    /// <summary>Best first.</summary>
    public IReadOnlyList<NetworkAddress> All { get; }

    /// <summary>The name, as far as is known: what a TLS connection asks for.</summary>
    public string Host { get; init; } = "";

    /// <summary>What a name resolved to: IPv4 first, then by value.</summary>
    public static ServerAddresses From(IEnumerable<IPAddress> resolved, ushort port, string host = "") => new(
    [
        .. resolved.Distinct()
            .OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork)
            .ThenBy(address => Convert.ToHexString(address.GetAddressBytes()), StringComparer.Ordinal)
            .Take(MaxCount).Select(address => NetworkAddress.From(address, port)),
    ])
    {
        Host = host,
    };

    /// <summary>How many are asked when the first was asked so long ago.</summary>
    public int CountAfter(TimeSpan silence) => (int)Math.Min(All.Count, 1 + silence / Patience);
}
