using System.Globalization;
using System.Text;
using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>The part of a report about the rounds while the container ran: three small pictures and a table.</summary>
internal static class RoundsSection
{
    public static void Append(StringBuilder page, MigrationRecord record)
    {
        IReadOnlyList<RoundCompleted> rounds = record.Rounds;
        page.Append("<section><h2>Rounds while the container ran</h2>")
            .Append(CultureInfo.InvariantCulture, $"<p class=\"hint\">{ReportPage.Html(rounds[^1].EndReason ?? "The rounds did not come to their end.")}</p><div class=\"three\">");
        Figure(page, "Sent", RoundsChart.Bytes(rounds), ("files", "files"), ("memory", "memory"));
        Figure(page, "How fast", RoundsChart.Rates(rounds), ("rate", "memory sent"), ("dirty", "memory changed"));
        if (rounds.Any(round => round.PredictedDowntimeMs is not null))
        {
            double? measured = record.Completed?.DowntimeMs;
            (string, string)[] words = [("dot", "predicted"), ("target-mark", "wanted"), .. measured is null ? (ReadOnlySpan<(string, string)>)[] : [("measured-mark", "measured")]];
            Figure(page, "Downtime if it were stopped now", RoundsChart.Predictions(rounds, measured), words);
        }

        page.Append("</div><div class=\"wide\"><table><tr><th>round</th><th>files sent</th><th>memory sent</th><th>of</th><th>took</th><th>rate</th><th>changes</th><th>expected while stopped</th><th>downtime predicted</th></tr>");
        foreach (RoundCompleted round in rounds)
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{round.Round}</td>{Cell(ByteText.Of(round.RootfsBytes))}{Cell(ByteText.Of(round.NewBytes))}{Cell(ByteText.Of(round.MemoryBytes))}")
                .Append(CultureInfo.InvariantCulture, $"{Cell(Scale.Time(round.Ms))}{Cell(Rate(round.BytesPerSecond))}{Cell(round.DirtyBytesPerSecond is { } dirty ? Rate(dirty) : "–")}")
                .Append(CultureInfo.InvariantCulture, $"{Cell(round.ExpectedBytes is { } bytes ? ByteText.Of(bytes) : "–")}{Cell(round.PredictedDowntimeMs is { } ms ? Scale.Time(ms) : "–")}</tr>");
        page.Append("</table></div></section>");
    }

    /// <summary>A small square in a colour of the charts, for a legend.</summary>
    public static string Swatch(string style) => style switch
    {
        "dot" => "<svg viewBox=\"0 0 11 11\"><circle cx=\"5.5\" cy=\"5.5\" r=\"4\" class=\"dot\"/></svg>",
        "target-mark" => "<svg viewBox=\"0 0 11 11\"><line x1=\"0\" y1=\"6\" x2=\"11\" y2=\"6\" class=\"target\"/></svg>",
        "measured-mark" => "<svg viewBox=\"0 0 11 11\"><line x1=\"0\" y1=\"6\" x2=\"11\" y2=\"6\" class=\"measured\"/></svg>",
        _ => $"<svg viewBox=\"0 0 11 11\"><rect width=\"11\" height=\"11\" rx=\"2\" class=\"{ReportPage.Html(style)}\"/></svg>",
    };

    private static void Figure(StringBuilder page, string title, string picture, params ReadOnlySpan<(string Style, string Word)> words)
    {
        page.Append(CultureInfo.InvariantCulture, $"<div><h3>{title}</h3>{picture}<ul class=\"legend\">");
        foreach ((string style, string word) in words)
            page.Append(CultureInfo.InvariantCulture, $"<li>{Swatch(style)}{word}</li>");
        page.Append("</ul></div>");
    }

    private static string Cell(string text) => $"<td>{ReportPage.Html(text)}</td>";

    private static string Rate(double bytes) => ByteText.Of((long)bytes) + "/s";
}
