namespace P2PMigrate.TunnelBench.Results;

/// <summary>All runs of one contender on one link: a sample for each that came to its end, a reason for each that failed.</summary>
internal sealed record Row(string Link, string Contender, IReadOnlyList<Sample> Samples, IReadOnlyList<string> Failures)
{
    public double BytesPerSecond => Median(sample => sample.BytesPerSecond);

    public double Median(Func<Sample, double> figure) => Median(Samples.Select(figure));

    /// <summary>
    /// How many times the <paramref name="reference"/> this is, for each round in which both came to their end: the two were minutes apart at
    /// most, so what the machine did meanwhile is in both.
    /// </summary>
    public double[] RatiosTo(Row reference, Func<Sample, double> figure) =>
        [.. Samples.Join(reference.Samples, sample => sample.Round, sample => sample.Round, (own, other) => figure(own) / figure(other))];

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
