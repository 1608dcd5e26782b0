using System.Globalization;
using System.Text;
using System.Text.Json;
using P2PMigrate.BenchReport;

namespace P2PMigrate.MigrationBench.Results;

/// <summary>The figures of a plan as markdown, JSON and a drawing. Ratios are against the first contender with the same workload on the same link.</summary>
internal static class MigrationTable
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static string Markdown(IReadOnlyList<Row> rows)
    {
        var text = new StringBuilder();
        foreach (IGrouping<(string Link, string Workload), Row> ground in rows.GroupBy(row => (row.Link, row.Workload)))
        {
            Row reference = ground.First();
            text.AppendLine(CultureInfo.InvariantCulture, $"**{ground.Key.Workload}**, {ground.Key.Link}: downtime is the longest gap that an outside client saw, asking every millisecond; medians").AppendLine();
            text.AppendLine(CultureInfo.InvariantCulture, $"| what | n | downtime, ms | range | x {reference.Contender} | where it went, ms |").AppendLine("|---|---|---|---|---|---|");
            foreach (Row row in ground)
                Append(text, row, reference);
            text.AppendLine();
        }

        return text.ToString();
    }

    public static string Json(Plan plan, IReadOnlyList<Row> rows) => JsonSerializer.Serialize(new { plan, rows }, s_json);

    /// <summary>The downtimes as a drawing, with a group for each workload and link.</summary>
    public static string Chart(Plan plan, IReadOnlyList<Row> rows) => BarChart.Draw(
        plan.Name + ": downtime in ms", "0",
        rows.Where(row => row.Samples.Count > 0).GroupBy(row => (row.Link, row.Workload)).Select(ground => new BarGroup(
            $"{ground.Key.Workload}, {ground.Key.Link}",
            [.. ground.Select(row => new Bar(row.Contender, row.DowntimeMs, [.. row.Samples.Select(sample => sample.DowntimeMs)]))])));

    private static void Append(StringBuilder text, Row row, Row reference)
    {
        string count = row.Failures.Count == 0
            ? row.Samples.Count.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{row.Samples.Count} of {row.Samples.Count + row.Failures.Count}; failed: {string.Join("; ", row.Failures.Distinct())}");
        if (row.Samples.Count == 0)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Contender} | {count} | | | | |");
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"| {row.Contender} | {count} | {row.DowntimeMs:0} | {row.Samples.Min(sample => sample.DowntimeMs):0} – {row.Samples.Max(sample => sample.DowntimeMs):0} ");
        text.AppendLine(CultureInfo.InvariantCulture, $"| {Ratio(row, reference)} | {Parts(row)} |");
    }

    private static string Ratio(Row row, Row reference)
    {
        double[] ratios = row.RatiosTo(reference);
        return ratios.Length == 0 || row == reference
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{Row.Median(ratios):0.00} ({ratios.Min():0.00} – {ratios.Max():0.00})");
    }

    /// <summary>Each part's own median: they need not add up to the median of the whole.</summary>
    private static string Parts(Row row) => string.Join(", ", row.Samples[0].Figures.Keys.Select(name =>
        string.Create(CultureInfo.InvariantCulture, $"{name} {row.MedianOf(name):0.#}")));
}
