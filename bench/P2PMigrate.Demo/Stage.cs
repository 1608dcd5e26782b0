using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace P2PMigrate.Demo;

/// <summary>What the audience sees: acts with their time, the events of the migration as a timeline, plain lines.</summary>
internal sealed class Stage
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly TextWriter _screen = Console.Out;
    private readonly bool _isTerminal = !Console.IsOutputRedirected;

    /// <summary>A new part of the story begins.</summary>
    public void Act(string text) =>
        Line(string.Create(CultureInfo.InvariantCulture, $"\n{Bold}[{Stopwatch.GetElapsedTime(_start).TotalSeconds,5:0.0} s] {text}{Plain}"));

    /// <summary>One event of <c>migrate --json</c>, on the timeline of the migration.</summary>
    public void Event(TimeSpan at, JsonElement migrateEvent)
    {
        string kind = migrateEvent.GetProperty("event").GetString()!;
        string text = kind switch
        {
            "path" => $"path {migrateEvent.GetProperty("path").GetString()} to {migrateEvent.GetProperty("remote").GetString()}",
            "phaseFinished" => $"{migrateEvent.GetProperty("phase").GetString()} done{Bytes(migrateEvent)}",
            "completed" => $"completed over {migrateEvent.GetProperty("path").GetString()}, {Megabytes(migrateEvent.GetProperty("bytesSent").GetInt64())} sent",
            "failed" => $"FAILED: {migrateEvent.GetProperty("reason").GetString()} (running at: {migrateEvent.GetProperty("runningAt").GetString()})",
            _ => "",
        };
        if (text.Length > 0)
            Line(string.Create(CultureInfo.InvariantCulture, $"  {at.TotalMilliseconds,7:0} ms  {text}"));
    }

    public void Line(string text) => _screen.WriteLine(text);

    private string Bold => _isTerminal ? "\u001b[1m" : "";

    private string Plain => _isTerminal ? "\u001b[0m" : "";

    private static string Bytes(JsonElement phaseFinished) =>
        phaseFinished.GetProperty("bytes").GetInt64() is > 0 and var bytes ? $", {Megabytes(bytes)}" : "";

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");
}
