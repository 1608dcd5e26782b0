using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Netcheck;

/// <summary>
/// What was found by one internet protocol: no report where the server kept silent by UDP, whether it was reached by TLS then, and the gateway's address
/// for us, if it was asked for.
/// </summary>
internal sealed record FamilyResult(AddressFamily Family, NatReport? Report, bool IsByTls, IPEndPoint? Mapped)
{
    /// <summary>Is the port that the gateway mapped one of the address outside? Otherwise there is another NAT before the gateway.</summary>
    public bool IsMappedOutside => Mapped is not null && Report is { Observed.IsNone: false } report && report.Observed.ToIPAddress().Equals(Mapped.Address);

    /// <summary>Is the outside address none of this machine's?</summary>
    public bool IsNat => Report is { Observed.IsNone: false } report && !LocalAddresses().Contains(report.Observed.ToIPAddress());

    private static HashSet<IPAddress> LocalAddresses() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address),
    ];
}

/// <summary>
/// Looks at the network through one internet protocol: an endpoint with a key that is thrown away registers at the server by UDP, has the NATs
/// surveyed and, if wanted, asks the gateway for a port, which is given back at the end. Another one tries TLS too at the same time; when it is
/// registered, and the first still is not a moment later, UDP does not get through.
/// </summary>
internal static class FamilyCheck
{
    /// <summary>Where a server is tried by TLS.</summary>
    public const ushort TlsPort = 443;

    private static readonly TimeSpan s_udpGrace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_surveyPatience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan s_gatewayPatience = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(50);

    /// <summary>Does it against the server at <paramref name="server"/>.</summary>
    public static async Task<FamilyResult> RunAsync(IPAddress server, ushort port, bool asksGateway, ILogger logger, CancellationToken cancellationToken)
    {
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        using PrivateIdentity other = PrivateIdentity.Create(CryptographicEntropy.Instance);
        var byUdp = new TunnelOptions
        {
            Identity = identity,
            Listen = new IPEndPoint(server.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0),
            Rendezvous = new ServerName(server.ToString(), port),
            RendezvousTlsPort = null,
            MapPortOnGateway = asksGateway,
            Logger = logger,
        };
        TunnelOptions byAnyWay = byUdp with { Identity = other, RendezvousTlsPort = TlsPort, MapPortOnGateway = false };
        await using TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(byUdp, cancellationToken).ConfigureAwait(false);
        await using TunnelEndpoint fallback = await TunnelEndpoint.OpenAsync(byAnyWay, cancellationToken).ConfigureAwait(false);
        Task<bool> udp = RegisterAsync(endpoint, cancellationToken), any = RegisterAsync(fallback, cancellationToken);
        if (!await IsUdpOpenAsync(udp, any, cancellationToken).ConfigureAwait(false) && await any.ConfigureAwait(false))
            return new FamilyResult(server.AddressFamily, Report: null, IsByTls: true, Mapped: null); // A port would be of no use.
        NatReport? report = await udp.ConfigureAwait(false) ? await SurveyAsync(endpoint, cancellationToken).ConfigureAwait(false) : null;
        IPEndPoint? mapped = asksGateway ? await MappedAsync(endpoint, cancellationToken).ConfigureAwait(false) : null;
        return new FamilyResult(server.AddressFamily, report, IsByTls: false, mapped);
    }

    private static async Task<bool> IsUdpOpenAsync(Task<bool> udp, Task<bool> any, CancellationToken cancellationToken)
    {
        await Task.WhenAny(udp, any).ConfigureAwait(false);
        await Task.WhenAny(udp, Task.Delay(s_udpGrace, cancellationToken)).ConfigureAwait(false);
        return udp.IsCompleted && await udp.ConfigureAwait(false);
    }

    private static async Task<bool> RegisterAsync(TunnelEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            await endpoint.WaitRegisteredAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TunnelException)
        {
            return false;
        }
    }

    // A report of a server that answered none of its questions is none.
    private static async Task<NatReport?> SurveyAsync(TunnelEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            NatReport report = await endpoint.WaitNatAsync(cancellationToken).WaitAsync(s_surveyPatience, cancellationToken).ConfigureAwait(false);
            return report.Observed.IsNone ? null : report;
        }
        catch (Exception silence) when (silence is TunnelException or TimeoutException)
        {
            return null;
        }
    }

    private static async Task<IPEndPoint?> MappedAsync(TunnelEndpoint endpoint, CancellationToken cancellationToken)
    {
        long begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < s_gatewayPatience)
        {
            if (await endpoint.GetMappedAsync(cancellationToken).ConfigureAwait(false) is [var mapped, ..])
                return mapped;
            await Task.Delay(s_glance, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }
}
