using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel;

/// <summary>What a <see cref="TunnelEndpoint"/> is made of.</summary>
public sealed record TunnelOptions
{
    /// <summary>Who this peer is. Stays the caller's and must outlive the endpoint.</summary>
    public required PrivateIdentity Identity { get; init; }

    /// <summary>
    /// Where the one UDP socket is bound. The default is any free port of every address, IPv6 and IPv4; on a machine
    /// without IPv6, of every IPv4 address.
    /// </summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.IPv6Any, 0);

    /// <summary>
    /// The server at which this peer is registered, so that others can reach it; null for none. A dial uses the server
    /// that the ticket names.
    /// </summary>
    public ServerName? Rendezvous { get; init; }

    /// <summary>
    /// The TCP port at which rendezvous servers, this peer's own and those that tickets name, are reached by TLS when UDP does not
    /// get through; null for never.
    /// </summary>
    public ushort? RendezvousTlsPort { get; init; } = 443;

    /// <summary>
    /// False: data takes the relay only, no address of this machine is told to anybody and no candidate of a peer is
    /// probed.
    /// </summary>
    public bool AllowDirectPaths { get; init; } = true;

    /// <summary>
    /// True: the machine's default gateways are asked, by PCP, NAT-PMP and UPnP, to send one of their ports to this endpoint,
    /// so that peers behind any NAT reach it directly. The mapping is renewed while the endpoint lives and released when it is
    /// disposed; if the program dies, the gateway forgets it after an hour. Off by default, because it changes a machine
    /// that is not this one; without <see cref="AllowDirectPaths"/> it has no effect.
    /// </summary>
    public bool MapPortOnGateway { get; init; }

    /// <summary>
    /// False: when the NATs of two peers do not let them through to each other, their ports are not looked for. True: they are, as
    /// far as that needs at most 256 sockets of this machine for a few seconds, and 2 048 small datagrams to the one host at which a
    /// rendezvous server has seen the peer, at most three times in ten minutes.
    /// </summary>
    public bool AllowPunching { get; init; } = true;

    /// <summary>
    /// A TURN server (RFC 8656) that shall lend this peer an address, over which sessions go when there is no direct path; null for none. It is preferred
    /// to the relay of the rendezvous server. When it does not answer or refuses, the endpoint does without.
    /// </summary>
    public TurnServer? Turn { get; init; }

    /// <summary>What this peer announces to others: credit and timers.</summary>
    public TransportParameters Parameters { get; init; } = new();

    /// <summary>How this peer repairs losses and how it finds out how fast each path may be used.</summary>
    public RecoveryOptions Recovery { get; init; } = new();

    /// <summary>
    /// The ciphers that this peer offers as initiator and accepts as responder, best first. The default is all that this
    /// machine runs at full speed.
    /// </summary>
    public IReadOnlyList<ProtectionSuite> Suites { get; init; } = ProtectionSuites.Supported;

    /// <summary>Both clocks: the monotonic one for timers, the wall clock for tickets.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where the endpoint says what it does; addresses only at debug level.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
