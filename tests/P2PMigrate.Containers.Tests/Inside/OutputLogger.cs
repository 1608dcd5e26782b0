using Microsoft.Extensions.Logging;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>What a runtime logs is in the output of the test that used it: a dump or a restore that was repeated says why.</summary>
internal sealed class OutputLogger : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        TestContext.Current.TestOutputHelper?.WriteLine(formatter(state, exception));
}
