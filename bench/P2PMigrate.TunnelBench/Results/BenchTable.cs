using System.Globalization;
using System.Text;
using System.Text.Json;
using P2PMigrate.BenchReport;

namespace P2PMigrate.TunnelBench.Results;

/// <summary>What happened in one behaviour, over all runs: figures by name, with the unit in the name, and a reason for each run that failed.</summary>
internal sealed record BehaviourRow(string Behaviour, string Link, IReadOnlyDictionary<string, double[]> Figures, IReadOnlyList<string> Failures);

/// <summary>The figures of a plan as markdown, JSON and a drawing. Ratios are against the first contender on the same link.</summary>
internal static class BenchTable
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static string Markdown(Plan plan, IReadOnlyList<Row> rows, IReadOnlyList<BehaviourRow> behaviours)
    {
        var text = new StringBuilder();
        foreach (IGrouping<string, Row> link in rows.GroupBy(row => row.Link))
            AppendLink(text, plan, link);
        if (behaviours.Count > 0)
            AppendBehaviours(text, behaviours);
        return text.ToString();
    }

    public static string Json(Plan plan, IReadOnlyList<Row> rows, IReadOnlyList<BehaviourRow> behaviours) =>
        JsonSerializer.Serialize(new { plan, rows, behaviours }, s_json);

    private static void AppendLink(StringBuilder text, Plan plan, IGrouping<string, Row> link)
    {
        Row reference = link.First();
        text.AppendLine(CultureInfo.InvariantCulture, $"**{link.Key}**, {plan.Seconds} s each after {plan.Skip} s, medians; ratios are medians of the ratios within each round").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| what | n | Mbit/s | range | CPU-s per GB: both ends | ksoftirqd | others | with start and end | x {reference.Contender} | CPU x |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (Row row in link)
        {
            if (row.Samples.Count == 0)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Contender} | {Count(0, row.Failures)} | | | | | | | | |");
            else
                AppendRow(text, row, reference);
        }

        text.AppendLine();
    }

    private static void AppendRow(StringBuilder text, Row row, Row reference)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {row.Contender} | {Count(row.Samples.Count, row.Failures)} | {Megabits(row.BytesPerSecond)} ");
        text.Append(CultureInfo.InvariantCulture, $"| {Megabits(row.Samples.Min(sample => sample.BytesPerSecond))} – {Megabits(row.Samples.Max(sample => sample.BytesPerSecond))} ");
        text.Append(CultureInfo.InvariantCulture, $"| {row.Median(sample => sample.Ends):0.00} | {row.Median(sample => sample.SoftInterrupts):0.00} ");
        text.Append(CultureInfo.InvariantCulture, $"| {row.Median(sample => sample.Others):0.00} | {row.Median(sample => sample.WithStartAndEnd):0.00} ");
        text.AppendLine(CultureInfo.InvariantCulture, $"| {Ratio(row, reference, sample => sample.BytesPerSecond)} | {Ratio(row, reference, sample => sample.Cpu)} |");
    }

    /// <summary>The rates as a drawing, with a group for each link.</summary>
    public static string Chart(Plan plan, IReadOnlyList<Row> rows) => BarChart.Draw(
        plan.Name + ": Mbit/s", "0.#",
        rows.Where(row => row.Samples.Count > 0).GroupBy(row => row.Link).Select(link => new BarGroup(
            link.Key, [.. link.Select(row => new Bar(row.Contender, InMegabits(row.BytesPerSecond), [.. row.Samples.Select(sample => InMegabits(sample.BytesPerSecond))]))])));

    private static double InMegabits(double bytesPerSecond) => bytesPerSecond * 8 / 1e6;

    private static string Ratio(Row row, Row reference, Func<Sample, double> figure)
    {
        double[] ratios = row.RatiosTo(reference, figure);
        return ratios.Length == 0 || row == reference
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{Row.Median(ratios):0.00} ({ratios.Min():0.00} – {ratios.Max():0.00})");
    }

    private static void AppendBehaviours(StringBuilder text, IReadOnlyList<BehaviourRow> behaviours)
    {
        text.AppendLine("| behaviour | link | figure | n | median | range |").AppendLine("|---|---|---|---|---|---|");
        foreach (BehaviourRow row in behaviours)
        {
            if (row.Figures.Count == 0)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Behaviour} | {row.Link} | | {Count(0, row.Failures)} | | |");
            foreach ((string name, double[] values) in row.Figures)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Behaviour} | {row.Link} | {name} | {Count(values.Length, row.Failures)} | {Row.Median(values):0.###} | {values.Min():0.###} – {values.Max():0.###} |");
        }

        text.AppendLine();
    }

    /// <summary>A median over the runs that ended well says nothing of those that did not: they are told beside it.</summary>
    private static string Count(int samples, IReadOnlyList<string> failures) => failures.Count == 0
        ? samples.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{samples} of {samples + failures.Count}; failed: {string.Join("; ", failures.Distinct())}");

    private static string Megabits(double bytesPerSecond) =>
        InMegabits(bytesPerSecond).ToString(bytesPerSecond < 12.5e6 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
