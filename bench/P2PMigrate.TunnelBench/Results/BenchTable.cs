using System.Globalization;
using System.Text;
using System.Text.Json;
using P2PMigrate.TunnelBench.Contenders;

namespace P2PMigrate.TunnelBench.Results;

/// <summary>All runs of one contender on one link: a sample for each that came to its end, a reason for each that failed.</summary>
internal sealed record Row(string Link, string Contender, IReadOnlyList<Sample> Samples, IReadOnlyList<string> Failures)
{
    public double BytesPerSecond => Median(Samples.Select(sample => sample.BytesPerSecond));

    public double CpuSecondsPerGB => Median(Samples.Select(sample => sample.CpuSecondsPerGB));

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>What happened in one behaviour, over all runs: figures by name, with the unit in the name, and a reason for each run that failed.</summary>
internal sealed record BehaviourRow(string Behaviour, string Link, IReadOnlyDictionary<string, double[]> Figures, IReadOnlyList<string> Failures);

/// <summary>The figures of a plan as markdown and JSON. Ratios are against the first contender of the same link and run.</summary>
internal static class BenchTable
{
    private static readonly JsonSerializerOptions s_json = new() { 
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
        text.AppendLine(CultureInfo.InvariantCulture, $"**{link.Key}**, {plan.Seconds} s each, medians").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| what | n | Mbit/s | range | CPU-s per GB | x {reference.Contender} | CPU x |").AppendLine("|---|---|---|---|---|---|---|");
        foreach (Row row in link)
        {
            if (row.Samples.Count == 0)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Contender} | {Count(0, row.Failures)} | | | | | |");
            else
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $"| {row.Contender} | {Count(row.Samples.Count, row.Failures)} | {Megabits(row.BytesPerSecond)} | {Megabits(row.Samples.Min(sample => sample.BytesPerSecond))} – {Megabits(row.Samples.Max(sample => sample.BytesPerSecond))} | {row.CpuSecondsPerGB:0.00} | {row.BytesPerSecond / reference.BytesPerSecond:0.00} | {row.CpuSecondsPerGB / reference.CpuSecondsPerGB:0.00} |");
        }

        text.AppendLine();
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
        (bytesPerSecond * 8 / 1e6).ToString(bytesPerSecond < 12.5e6 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
