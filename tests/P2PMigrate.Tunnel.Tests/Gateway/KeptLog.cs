using Microsoft.Extensions.Logging;

namespace P2PMigrate.Tunnel.Tests.Gateway;

/// <summary>Keeps what is logged, and waits for what is still to be.</summary>
internal sealed class KeptLog : ILogger
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Text
    {
        get
        {
            lock (_lock)
                return string.Join('\n', _lines);
        }
    }

    public async Task WaitForAsync(string text, TimeSpan patience)
    {
        while (true)
        {
            Task more;
            lock (_lock)
                more = _more.Task;
            if (Text.Contains(text, StringComparison.Ordinal))
                return;
            await more.WaitAsync(patience);
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        TaskCompletionSource heard;
        lock (_lock)
        {
            _lines.Add(formatter(state, exception));
            heard = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        heard.SetResult();
    }
}
