namespace P2PMigrate.MigrationBench.Results;

/// <summary>One move: the longest gap that the outside client saw, and what the contender itself tells.</summary>
internal sealed record Sample(int Round, double DowntimeMs, IReadOnlyDictionary<string, double> Figures);

/// <summary>All runs of one contender with one workload on one link: a sample for each that came to its end, a reason for each that failed.</summary>
internal sealed record Row(string Link, string Workload, string Contender, List<Sample> Samples, List<string> Failures)
{
    public double DowntimeMs => Median(Samples.Select(sample => sample.DowntimeMs));

    /// <summary>The median of a figure over the runs that told it.</summary>
    public double MedianOf(string figure) => Median(Samples.Where(sample => sample.Figures.ContainsKey(figure)).Select(sample => sample.Figures[figure]));

    /// <summary>How many times the <paramref name="reference"/> this is, for each round in which both came to their end.</summary>
    public double[] RatiosTo(Row reference) =>
        [.. Samples.Join(reference.Samples, sample => sample.Round, sample => sample.Round, (own, other) => own.DowntimeMs / other.DowntimeMs)];

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
