using Microsoft.Extensions.Logging;

namespace P2PMigrate.Migration;

/// <summary>Everything this assembly logs.</summary>
internal static partial class Log
{
    /// <summary>The details behind a reason that the user has seen.</summary>
    [LoggerMessage(4001, LogLevel.Debug, "Work failed: {JobId} {Work}")]
    public static partial void WorkFailed(ILogger logger, JobId jobId, string work, Exception exception);

    /// <summary>A job reached a state.</summary>
    [LoggerMessage(4002, LogLevel.Debug, "State: {JobId} {Role} {State}")]
    public static partial void StateReached(ILogger logger, JobId jobId, string role, string state);

    /// <summary>A job was found unfinished.</summary>
    [LoggerMessage(4003, LogLevel.Information, "Recovered: {JobId} {Container} {Action}: {Message}")]
    public static partial void JobRecovered(ILogger logger, JobId jobId, string container, RecoveryAction action, string message);

    /// <summary>A job has ended.</summary>
    [LoggerMessage(4004, LogLevel.Information, "Ended: {JobId} {Container} {End} {Reason}")]
    public static partial void JobEnded(ILogger logger, JobId jobId, string container, string end, string reason);

    /// <summary>Something of the runtime's could not be let go of.</summary>
    [LoggerMessage(4005, LogLevel.Warning, "What the runtime held for a job could not be closed")]
    public static partial void DisposalFailed(ILogger logger, Exception exception);

    /// <summary>The container would bring more when it comes back.</summary>
    [LoggerMessage(4006, LogLevel.Information, "What is sent is not kept, or not all of it: {Reason}")]
    public static partial void SentNotKept(ILogger logger, string reason);

    /// <summary>A chunk of an earlier migration was spoiled on this disk.</summary>
    [LoggerMessage(4007, LogLevel.Warning, "Spoiled chunks in the store: {Count}; they are sent again")]
    public static partial void ChunksSpoiled(ILogger logger, int count);

    /// <summary>A job that was to leave memory had none to leave; what the runtime logs of its dump says why.</summary>
    [LoggerMessage(4008, LogLevel.Warning, "Nothing left for later: {JobId} {Container}, though some memory was to follow it")]
    public static partial void NothingLeft(ILogger logger, JobId jobId, string container);
}
