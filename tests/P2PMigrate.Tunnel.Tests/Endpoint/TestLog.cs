using Microsoft.Extensions.Logging;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Writes what an endpoint logs to the output of the test that runs.</summary>
internal sealed class TestLog(string name) : ILogger
{
    private readonly ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            _output?.WriteLine($"{name}: {formatter(state, exception)} {exception}");
        }
        catch (InvalidOperationException)
        {
            // The test has ended; nobody reads any more.
        }
    }
}
