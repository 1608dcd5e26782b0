using System.Text.RegularExpressions;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Reads CRIU's log of a failed dump or restore and says in one sentence what went wrong: a known cause with its remedy, or
/// else CRIU's own first complaint. Lines that are in every log are not complaints.
/// </summary>
internal static partial class CriuLog
{
    private const int ComplaintsMax = 20;
    private const int LineMax = 300;
    private const string DumpFailed = "Dumping FAILED";
    private const string RestoreFailed = "Restoring FAILED.", RestoreSource = "Error (criu/cr-restore.c:", LateScript = "Pre-resume script ret code";
    private const string Seized = "Seized task";
    private const string DumpDone = "Dumping finished successfully";

    /// <summary>The sentence for the log at <paramref name="path"/>, or null when there is no log or no complaint in it.</summary>
    public static string? Explain(string path)
    {
        try
        {
            return Explain(File.ReadLines(path));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Does the log at <paramref name="path"/> say that CRIU came to the end of a dump that failed? One that was killed says nothing.</summary>
    public static bool HasGivenUp(string path) => Any(path, line => line.Contains(DumpFailed, StringComparison.Ordinal)) ?? false;

    /// <summary>
    /// Does the log at <paramref name="path"/> say that CRIU came to the end of a restore that failed before it let go of anything, and so has killed what it had made? One that was killed says nothing. Names of files
    /// are in the log too.
    /// </summary>
    public static bool HasUndoneRestore(string path) =>
        Any(path, line => line.EndsWith(RestoreFailed, StringComparison.Ordinal) && line.Contains(RestoreSource, StringComparison.Ordinal)) == true
        && Any(path, line => line.Contains(LateScript, StringComparison.Ordinal)) == false;

    /// <summary>Does the log of a dump at <paramref name="path"/> end while CRIU has processes in its hands? Then it was killed, or is at work.</summary>
    public static bool IsCutOff(string path) => Any(path, line => line.Contains(Seized, StringComparison.Ordinal)) == true
        && Any(path, line => line.Contains(DumpFailed, StringComparison.Ordinal) || line.Contains(DumpDone, StringComparison.Ordinal)) == false;

    /// <summary>Null where there is no log.</summary>
    private static bool? Any(string path, Func<string, bool> predicate)
    {
        try
        {
            return File.ReadLines(path).Any(predicate);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Is what the log at <paramref name="path"/> first complains of something that passes by itself when the container goes on?</summary>
    public static bool IsPassing(string path)
    {
        try
        {
            return Complaints(File.ReadLines(path)).FirstOrDefault() is { } first && CriuKnowledge.IsPassing(first);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The sentence for these lines, or null when none of them is a complaint.</summary>
    public static string? Explain(IEnumerable<string> lines)
    {
        List<string> complaints = [.. Complaints(lines).Take(ComplaintsMax)];
        if (complaints.Count == 0) return null;
        return complaints.Select(Known).FirstOrDefault(sentence => sentence is not null)
            ?? $"CRIU says: {complaints[0]}.";
    }

    /// <summary>What CRIU complained about, in order, without time stamps and source positions.</summary>
    public static IEnumerable<string> Complaints(IEnumerable<string> lines) =>
        from line in lines
        let match = Complaint().Match(line)
        where match.Success
        let text = match.Groups["text"].Value.Trim()
        where !CriuKnowledge.IsHarmless(text)
        select text.Length <= LineMax ? text : text[..LineMax] + "…";

    private static string? Known(string complaint) =>
        CriuKnowledge.Causes.Select(cause => cause.Explain(complaint)).FirstOrDefault(sentence => sentence is not null);

    // (00.002930) Error (criu/util.c:1534): text          also: (00.1)     12: Error (…): text, and "pie: 1: Error (…): text"
    [GeneratedRegex(@"Error \([\w./+-]+:\d+\): (?<text>.+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Complaint();
}
