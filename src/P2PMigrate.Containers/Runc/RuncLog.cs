using System.Text.Json;

namespace P2PMigrate.Containers.Runc;

/// <summary>The log of runc or crun: JSON objects, each on a line (runc) or on several from <c>{</c> to <c>}</c> (crun). Other lines are passed over.</summary>
internal static class RuncLog
{
    private const int LinesMax = 10_000;

    /// <summary>The last error of <paramref name="program"/> as a sentence, or null when it logged none.</summary>
    public static string? LastError(string path, string program)
    {
        try
        {
            string? message = Messages(File.ReadLines(path).Take(LinesMax)).Select(Error).LastOrDefault(error => error is not null);
            return message is null ? null : $"{program} says: {message.TrimEnd('.')}.";
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static IEnumerable<string> Messages(IEnumerable<string> lines)
    {
        string open = "";
        foreach (string line in lines)
        {
            if (open.Length == 0 && line != "{")
            {
                yield return line;
                continue;
            }

            open += line;
            if (line != "}") continue;
            yield return open;
            open = "";
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
