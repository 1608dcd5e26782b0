using System.Diagnostics;

namespace P2PMigrate.Fuzz.Engine;

/// <summary>Turns an assertion of the product that does not hold into an exception, so that it is a finding like any other.</summary>
internal sealed class ThrowingListener : TraceListener
{
    /// <summary>From now on, in this process.</summary>
    public static void Install()
    {
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new ThrowingListener());
    }

    /// <inheritdoc/>
    public override void Fail(string? message, string? detailMessage) => throw new InvalidOperationException($"An assertion failed: {message} {detailMessage}");

    /// <inheritdoc/>
    public override void Write(string? message)
    {
    }

    /// <inheritdoc/>
    public override void WriteLine(string? message)
    {
    }
}
