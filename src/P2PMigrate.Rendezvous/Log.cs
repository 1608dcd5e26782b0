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

    [LoggerMessage(2, LogLevel.Information, "Rendezvous server stopped")]
    private static partial void Stopped(ILogger logger);

    [LoggerMessage(3, LogLevel.Critical, "The rendezvous server stopped because of a fault of its own")]
    private static partial void Failed(ILogger logger, Exception error);
}
