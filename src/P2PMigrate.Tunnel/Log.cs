using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Endpoint;

namespace P2PMigrate.Tunnel;

/// <summary>Everything that the tunnel logs. Addresses stay at debug level; keys, secrets and payload are never logged.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Listening on {Address}")]
    public static partial void Listening(ILogger logger, NetworkAddress address);

    [LoggerMessage(2, LogLevel.Information, "Session with {PeerId} established as {Role} after {Milliseconds} ms")]
    public static partial void SessionEstablished(ILogger logger, string peerId, ConnectionRole role, long milliseconds);

    [LoggerMessage(3, LogLevel.Information, "Session with {PeerId} ended: {Reason}")]
    public static partial void SessionEnded(ILogger logger, string peerId, string reason);

    [LoggerMessage(4, LogLevel.Debug, "Data to {PeerId} now takes the {Path} path to {Address}")]
    public static partial void PathChanged(ILogger logger, string peerId, PathKind path, NetworkAddress address);

    [LoggerMessage(5, LogLevel.Debug, "Refused a handshake from {Address}: {Refusal}")]
    public static partial void HandshakeRefused(ILogger logger, NetworkAddress address, Refusal refusal);

    [LoggerMessage(6, LogLevel.Information, "Refused {PeerId}: ticket {Ticket} is not open")]
    public static partial void TicketRefused(ILogger logger, string peerId, TicketId ticket);

    [LoggerMessage(7, LogLevel.Critical, "The tunnel endpoint stopped because of a fault of its own")]
    public static partial void LoopFailed(ILogger logger, Exception error);

    [LoggerMessage(8, LogLevel.Debug, "Registered at the rendezvous server {Address}")]
    public static partial void Registered(ILogger logger, NetworkAddress address);

    [LoggerMessage(9, LogLevel.Warning, "The rendezvous server {Server} does not answer; trying again")]
    public static partial void ServerUnreachable(ILogger logger, string server);

    [LoggerMessage(10, LogLevel.Debug, "The rendezvous server {Address} is now reached by this way: {Way}")]
    public static partial void WayChanged(ILogger logger, NetworkAddress address, ServerWayKind way);

    [LoggerMessage(11, LogLevel.Information, "A TURN server relays for this peer")]
    public static partial void TurnAllocated(ILogger logger);

    [LoggerMessage(12, LogLevel.Debug, "The relayed address is {Address}")]
    public static partial void TurnAllocatedAt(ILogger logger, NetworkAddress address);

    [LoggerMessage(13, LogLevel.Information, "The TURN server relays for this peer no more")]
    public static partial void TurnLost(ILogger logger);

    // Somebody has named the server, perhaps with a slip of the pen, and shall see at once that it does not serve.
    [LoggerMessage(14, LogLevel.Error, "{Sentence}")]
    public static partial void TurnFailed(ILogger logger, string sentence);

    [LoggerMessage(40, LogLevel.Debug, "Asking the gateway {Address} for a port that leads to {Local}")]
    public static partial void GatewayFound(ILogger logger, NetworkAddress address, NetworkAddress local);

    [LoggerMessage(41, LogLevel.Information, "The gateway maps a port to this peer, by {Protocol}")]
    public static partial void PortMapped(ILogger logger, MappingProtocol protocol);

    [LoggerMessage(42, LogLevel.Debug, "The mapped port is {Address}")]
    public static partial void PortMappedAt(ILogger logger, NetworkAddress address);

    [LoggerMessage(43, LogLevel.Information, "The gateway maps no port to this peer any more")]
    public static partial void PortUnmapped(ILogger logger);

    [LoggerMessage(44, LogLevel.Information, "No port was mapped by {Protocol}: {Sentence}")]
    public static partial void MappingRefused(ILogger logger, MappingProtocol protocol, string sentence);

    [LoggerMessage(45, LogLevel.Warning, "The gateway is itself behind a NAT: the port that it mapped can be reached only from the network in between. Ask for a mapping on the outer gateway too, or put the inner one into bridge mode")]
    public static partial void GatewayBehindNat(ILogger logger);

    [LoggerMessage(46, LogLevel.Warning, "The gateway mapped a port but says that it has no address at which anybody could reach it")]
    public static partial void GatewayWithoutAddress(ILogger logger);
}
