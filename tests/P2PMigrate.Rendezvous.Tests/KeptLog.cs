using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>Keeps the lines that a server logs.</summary>
internal sealed class KeptLog : ILogger
{
    public ConcurrentQueue<string> Lines { get; } = [];

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue(formatter(state, exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
