using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>Keeps what was logged, for the message of a test that failed.</summary>
internal sealed class QueueLogger(string side, ConcurrentQueue<string> lines) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Enqueue($"{side}: {formatter(state, exception)} {exception}");
}
