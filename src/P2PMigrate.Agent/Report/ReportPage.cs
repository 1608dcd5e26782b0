using System.Globalization;
using System.Net;
using System.Text;
using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>A migration as a page that a person reads in a browser: one file, no script, nothing fetched, every text of others escaped.</summary>
internal static class ReportPage
{
    public static string Of(MigrationRecord record)
    {
        var page = new StringBuilder();
        (string tone, string words, string title) = Verdict(record);
        page.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")
            .Append(CultureInfo.InvariantCulture, $"<title>{Html(title)}</title><style>{ReportStyle.Text}</style></head><body class=\"{tone}\"><main>")
            .Append(CultureInfo.InvariantCulture, $"<header><h1>{words}</h1><p>{Html(Explanation(record))}</p></header>");
        AppendTiles(page, record);
        AppendFailure(page, record);
        AppendRoute(page, record);
        AppendTimeline(page, record);
        if (record.Rounds.Count > 0)
            RoundsSection.Append(page, record);
        if (record.Completed is { } completed)
            AppendDowntime(page, completed);
        NotesSection.Append(page, record);
        return page.Append(CultureInfo.InvariantCulture, $"<footer>Report of p2pmigrate, {record.Began:yyyy-MM-dd HH:mm:ss zzz}. Sizes are decimal; content is counted before compression.</footer></main></body></html>\n").ToString();
    }

    /// <summary>Any text that is not ours.</summary>
    public static string Html(string text) => WebUtility.HtmlEncode(text);

    private static (string Tone, string Words, string Title) Verdict(MigrationRecord record)
    {
        string name = record.Subject.Container.Length == 0 ? "The container" : record.Subject.Container;
        (string tone, string verb) = (record.Completed, record.Failed) switch
        {
            ({ }, _) => ("good", "runs at the target"),
            (_, { RunningAt: "source" }) => ("bad", "still runs at the source"),
            (_, { RunningAt: "target" }) => ("bad", "runs at the target"),
            (_, { HasEnded: true }) => ("bad", "has ended"),
            (_, { }) => ("doubt", "is in doubt"),
            _ => ("doubt", "was left in mid-migration"),
        };
        return (tone, $"{Html(name)} <em>{verb}</em>", $"{name} {verb}");
    }

    private static string Explanation(MigrationRecord record) => (record.Completed, record.Failed) switch
    {
        ({ } completed, _) => $"It was stopped for {Scale.Time(completed.DowntimeMs)} of the {Scale.Time(completed.TotalMs)} that the migration took, and goes on where it was.",
        (_, { RunningAt: "source" }) when record.Frozen is { } frozen =>
            $"The migration failed after it had stopped the container for {Scale.Time((frozen.End - frozen.Start).TotalMilliseconds)}; everything was undone, and it goes on where it was.",
        (_, { RunningAt: "source" }) => "The migration failed; the container was never stopped.",
        (_, { HasEnded: true }) => "The migration failed, and the container has ended at the source, where its files are.",
        (_, { RunningAt: "none" }) => "Nobody can tell from here whether it runs; it stays frozen at the source until a person decides.",
        (_, { RunningAt: "target" }) when record.Lacks => "It has moved, and part of its memory has not: that is still at the source, frozen, and follows when the two machines meet again.",
        (_, { RunningAt: "target" }) => "It has moved, but not everything was done as it should be.",
        _ => "The program ended without a word on how the migration ended. Type the same command at the source once more: before anything else it looks for what was left, and says where the container runs.",
    };

    private static void AppendTiles(StringBuilder page, MigrationRecord record)
    {
        if (record.Completed is not { } completed)
            return;
        string predicted = completed.PredictedDowntimeMs is { } ms ? $"{Scale.Time(ms)} predicted" : "not predicted";
        string wanted = record.Rounds.Count > 0 ? $", {Scale.Time(record.Rounds[0].DowntimeTargetMs)} wanted" : "";
        page.Append("<div class=\"tiles\">");
        Tile(page, "downtime", Scale.Time(completed.DowntimeMs), predicted + wanted);
        Tile(page, "in all", Scale.Time(completed.TotalMs), completed.Rounds == 1 ? "1 round while it ran" : $"{completed.Rounds} rounds while it ran");
        Tile(page, "memory", ByteText.Of(completed.MemoryBytes), $"{ByteText.Of(completed.FrozenMemoryBytes)} of it sent while stopped");
        Tile(page, "root file system", ByteText.Of(completed.RootfsBytes), "content of regular files");
        Tile(page, "sent", ByteText.Of(completed.BytesSent), $"after compression; {ByteText.Of(completed.WireBytes)} on the wire");
        page.Append("</div>");
    }

    private static void Tile(StringBuilder page, string name, string figure, string more) =>
        page.Append(CultureInfo.InvariantCulture, $"<div class=\"tile\"><span>{Html(name)}</span><b>{Html(figure)}</b><i>{Html(more)}</i></div>");

    private static void AppendFailure(StringBuilder page, MigrationRecord record)
    {
        if (record.Failed is not { } failed)
            return;
        page.Append(CultureInfo.InvariantCulture, $"<section><h2>Why</h2><p>{Html(failed.Reason)}</p>");
        if (failed.Remedy is { } remedy)
            page.Append(CultureInfo.InvariantCulture, $"<pre>{Html(remedy)}</pre>");
        page.Append("</section>");
    }

    private static void AppendRoute(StringBuilder page, MigrationRecord record)
    {
        string at = record.Completed is not null ? "target" : record.Failed?.RunningAt ?? "none";
        string path = record.Path is { } chosen ? $"{chosen.Path} path to {chosen.Remote}, round trip {Scale.Time(chosen.RttMs)}" : "no path was found";
        page.Append(CultureInfo.InvariantCulture, $"<section class=\"route\"><div class=\"{(at == "source" ? "here" : "")}\"><b>{Html(record.Subject.From)}</b><div class=\"mono\">source</div></div>")
            .Append("<div class=\"arrow\">→</div>")
            .Append(CultureInfo.InvariantCulture, $"<div class=\"{(at == "target" ? "here" : "")}\"><b>target</b><div class=\"mono\">{Html(record.Subject.To)}</div></div><div class=\"hint\">{Html(path)}</div></section>");
    }

    private static void AppendTimeline(StringBuilder page, MigrationRecord record)
    {
        if (record.Phases.Count == 0)
            return;
        page.Append("<section><h2>Timeline</h2><p class=\"hint\">Phases by the clock, and content moved per second; the shaded band is the time in which the container stood still.</p>")
            .Append(TimelineChart.Of(record)).Append("</section>");
    }

    private static void AppendDowntime(StringBuilder page, MigrationCompleted completed)
    {
        page.Append(CultureInfo.InvariantCulture, $"<section><h2>Where the downtime went</h2><p class=\"hint\">{Scale.Time(completed.DowntimeMs)} from the first thing that the container could feel until the source heard that it runs at the target.</p>")
            .Append(DowntimeChart.Of(completed)).Append("<ul class=\"legend\">");
        foreach (PhaseDuration part in completed.Downtime)
            page.Append(CultureInfo.InvariantCulture, $"<li>{RoundsSection.Swatch($"part part-{part.Phase}")}{Html(part.Phase)} <b>{Scale.Time(part.Ms)}</b></li>");
        page.Append("</ul></section>");
    }
}
