using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace P2PMigrate.Agent.Output;

/// <summary>
/// A migration that this machine's journals know. <paramref name="Role"/> is <c>source</c> or <c>target</c>, <paramref name="RunningAt"/> is one of these,
/// <c>none</c> while it is stopped for the job, or <c>unknown</c>.
/// </summary>
internal sealed record JobListed(string JobId, string Container, string Role, string Peer, string State, string RunningAt, string Next) : AgentEvent
{
    /// <summary>When the job began.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? BeganAt { get; init; }

    /// <summary>When the state was reached.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Since { get; init; }

    /// <summary>The process that works on it; left out when none is seen.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Pid { get; init; }

    /// <summary>Why the journal cannot be trusted; left out when it can.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Damage { get; init; }

    /// <summary>What to type, one of them.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];

    public override string ToLine() => $"{JobId} {Container} ({Role}, {State}): {Next}";
}

/// <summary>All jobs, for people.</summary>
internal sealed record JobTable(IReadOnlyList<JobListed> Jobs) : AgentEvent
{
    private const string Gap = "  ";

    public override string ToLine()
    {
        if (Jobs.Count == 0)
            return "No migration is in progress here, and none was left unfinished.";
        string[][] rows = [["CONTAINER", "ROLE", "PEER", "STATE", "RUNS AT", "SINCE"], .. Jobs.Select(CellsOf)];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder(Line(rows[0], widths));
        for (int job = 0; job < Jobs.Count; job++)
        {
            text.Append('\n').Append(Line(rows[job + 1], widths)).Append('\n').Append(Gap).Append("job ").Append(Jobs[job].JobId).Append(": ").Append(Jobs[job].Next);
            foreach (string command in Jobs[job].Commands)
                text.Append('\n').Append(Gap).Append(Gap).Append(command);
        }

        return text.ToString();
    }

    private static string[] CellsOf(JobListed job) =>
    [
        Or(job.Container), Or(job.Role), Or(job.Peer.Length > 13 ? job.Peer[..13] : job.Peer), job.State, job.RunningAt,
        Or(job.Since?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? ""),
    ];

    private static string Or(string cell) => cell.Length == 0 ? "?" : cell;

    private static string Line(string[] cells, int[] widths) =>
        string.Join(Gap, cells.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd();
}
