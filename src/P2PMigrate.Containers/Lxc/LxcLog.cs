using System.Text.RegularExpressions;

namespace P2PMigrate.Containers.Lxc;

/// <summary>LXC's own log.</summary>
internal static partial class LxcLog
{
    private const int LinesMax = 10_000;

    /// <summary>LXC's first error as a sentence, or null when it logged none: later ones follow from it.</summary>
    public static string? LastError(string path)
    {
        try
        {
            Match? error = File.ReadLines(path).Take(LinesMax).Select(line => Error().Match(line)).FirstOrDefault(match => match.Success);
            return error is null ? null : $"LXC says: {error.Groups["text"].Value.TrimEnd('.', ':')}.";
        }
        catch (IOException)
        {
            return null;
        }
    }

    // lxc-checkpoint c1 20261127064611.229 ERROR    criu - ../src/lxc/criu.c:do_restore:1050 - text
    [GeneratedRegex(@" ERROR +\S+ - \S+ - (?<text>.+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Error();
}
