using System.Text.Json;

namespace P2PMigrate.Containers.Runc;

/// <summary>runc's own log, one JSON object or one <c>key="value"</c> line per message.</summary>
internal static class RuncLog
{
    private const int LinesMax = 10_000;

    /// <summary>runc's last error as a sentence, or null when it logged none.</summary>
    public static string? LastError(string path)
    {
        try
        {
            string? message = File.ReadLines(path).Take(LinesMax).Select(Error).LastOrDefault(error => error is not null);
            return message is null ? null : $"runc says: {message.TrimEnd('.')}.";
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? Error(string line)
    {
        try
        {
            using JsonDocument message = JsonDocument.Parse(line);
            return message.RootElement.TryGetProperty("level", out JsonElement level) && level.GetString() is "error" or "fatal"
                && message.RootElement.TryGetProperty("msg", out JsonElement text) ? text.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
