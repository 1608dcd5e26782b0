using Microsoft.Extensions.Logging;

namespace P2PMigrate.Containers;

/// <summary>Everything this assembly logs.</summary>
internal static partial class Log
{
    [LoggerMessage(301, LogLevel.Information, "{Container} is frozen after {Milliseconds} ms, off the network: {Isolated}")]
    public static partial void Frozen(this ILogger logger, string container, long milliseconds, bool isolated);

    [LoggerMessage(302, LogLevel.Information, "{Container} is dumped after {Milliseconds} ms, {Pages} pages, lazily: {Lazily}")]
    public static partial void Dumped(this ILogger logger, string container, long milliseconds, long pages, bool lazily);

    [LoggerMessage(303, LogLevel.Warning, "Dump of {Container} failed; waiting for CRIU to undo it: {Reason}")]
    public static partial void DumpFailed(this ILogger logger, string container, string reason);

    [LoggerMessage(304, LogLevel.Information, "{Container} runs again")]
    public static partial void Thawed(this ILogger logger, string container);

    [LoggerMessage(305, LogLevel.Information, "{Container} is destroyed")]
    public static partial void Destroyed(this ILogger logger, string container);

    [LoggerMessage(306, LogLevel.Information, "{Container} is restored and held after {Milliseconds} ms")]
    public static partial void Held(this ILogger logger, string container, long milliseconds);

    [LoggerMessage(307, LogLevel.Information, "{Container} runs, {Milliseconds} ms after its release")]
    public static partial void Released(this ILogger logger, string container, long milliseconds);

    [LoggerMessage(308, LogLevel.Information, "What was left of {Container} is removed")]
    public static partial void CleanedUp(this ILogger logger, string container);

    [LoggerMessage(309, LogLevel.Warning, "{Container} runs but is not on its network: {Reason}")]
    public static partial void LeftOffNetwork(this ILogger logger, string container, string reason);

    [LoggerMessage(310, LogLevel.Warning, "The neighbours of {Network} are not told where its addresses are now: {Reason}")]
    public static partial void NotAnnounced(this ILogger logger, string network, string reason);

    [LoggerMessage(311, LogLevel.Warning, "CRIU could not leave the memory of {Container} in its processes, and dumps it once more: {Reason}")]
    public static partial void DumpRepeated(this ILogger logger, string container, string reason);

    [LoggerMessage(315, LogLevel.Warning, "CRIU cannot leave the memory of {Container} in its processes, so that the dump takes longer: {Reason}")]
    public static partial void DumpNotLazy(this ILogger logger, string container, string reason);

    [LoggerMessage(316, LogLevel.Information, "CRIU is not told to leave the memory of {Container} in its processes: it would write too much of it to disk")]
    public static partial void DumpWouldWriteMuch(this ILogger logger, string container);

    [LoggerMessage(312, LogLevel.Information, "The dump of {Container} came at a bad moment; it goes on for a little and is dumped once more: {Reason}")]
    public static partial void DumpRepeatedLater(this ILogger logger, string container, string reason);

    [LoggerMessage(314, LogLevel.Warning, "{Container} could not be restored with memory left for later, and is restored once more: {Reason}")]
    public static partial void RestoreRepeated(this ILogger logger, string container, string reason);

    [LoggerMessage(313, LogLevel.Error, "{Container} has ended: its first process did not survive being stopped")]
    public static partial void EndedWhileFrozen(this ILogger logger, string container);
}
