using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Rendezvous;

/// <summary>Everything that the server logs.</summary>
internal static partial class Log
{
    /// <summary>The server ended: as it was told to, or because of a fault.</summary>
    public static void StoppedOrFailed(ILogger logger, Exception? error)
    {
        if (error is null)
            Stopped(logger);
        else
            Failed(logger, error);
    }

    [LoggerMessage(1, LogLevel.Information, "Rendezvous server listening on {Address}")]
    public static partial void Listening(ILogger logger, NetworkAddress address);

    [LoggerMessage(4, LogLevel.Information, "Rendezvous server listening for TLS on {Address}")]
    public static partial void ListeningTls(ILogger logger, System.Net.IPEndPoint address);

    [LoggerMessage(5, LogLevel.Debug, "A TLS connection came to nothing: {Reason}")]
    public static partial void TlsRefused(ILogger logger, string reason);

    [LoggerMessage(8, LogLevel.Warning, "The rendezvous server does without its second port, so that its clients learn less of their NATs: {Reason}")]
    public static partial void NoOtherPort(ILogger logger, string reason);

    [LoggerMessage(9, LogLevel.Error, "The other socket at {Address} stopped because of a fault of its own; clients learn less of their NATs until the server is started again")]
    public static partial void MirrorFailed(ILogger logger, NetworkAddress address, Exception error);

    [LoggerMessage(10, LogLevel.Warning, "A TLS connection from {Host} is refused, as {Refused} were of late: its host, or all of them together, have as many as they may")]
    public static partial void TlsFull(ILogger logger, NetworkAddress host, int refused);

    [LoggerMessage(2, LogLevel.Information, "Rendezvous server stopped")]
    private static partial void Stopped(ILogger logger);

    [LoggerMessage(6, LogLevel.Warning, "The directory of the fleet is away ({Failure}): peers of other servers cannot be found until it is back")]
    public static partial void DirectoryLost(ILogger logger, string failure);

    [LoggerMessage(7, LogLevel.Information, "The directory of the fleet is back")]
    public static partial void DirectoryRestored(ILogger logger);

    [LoggerMessage(3, LogLevel.Critical, "The rendezvous server stopped because of a fault of its own")]
    private static partial void Failed(ILogger logger, Exception error);
}
