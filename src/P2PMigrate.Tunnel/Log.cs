using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

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
}
