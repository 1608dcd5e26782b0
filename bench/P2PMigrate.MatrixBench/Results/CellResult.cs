using System.Globalization;
using System.Text.Json.Serialization;

namespace P2PMigrate.MatrixBench;

/// <summary>All attempts of one cell.</summary>
internal sealed record CellResult(string Cell, IReadOnlyList<Outcome> Outcomes)
{
    [JsonIgnore]
    public int Connected => Outcomes.Count(outcome => outcome.IsConnected);

    [JsonIgnore]
    public int Direct => Outcomes.Count(outcome => outcome.IsDirect);

    [JsonIgnore]
    public Expectation Expected => Expectations.Of(MatrixBench.Cell.Parse(Cell));

    /// <summary>Connected always, and directly where that can be asked for.</summary>
    [JsonIgnore]
    public bool IsAsExpected => Connected == Outcomes.Count && (Expected == Expectation.Relayed || Direct == Outcomes.Count);

    /// <summary>The time to the first byte that so many percent of the connected attempts did not exceed; null when there was none.</summary>
    public double? FirstByte(int percent) => Percentile([.. Outcomes.Select(outcome => outcome.FirstByteMs).OfType<double>()], percent);

    /// <summary>The same of the time to a direct path.</summary>
    public double? ToDirect(int percent) => Percentile([.. Outcomes.Select(outcome => outcome.DirectMs).OfType<double>()], percent);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cell}: {Connected}/{Outcomes.Count} connected, {Direct} direct ({Expected}), first byte {FirstByte(50):0}/{FirstByte(95):0} ms, direct {ToDirect(50):0}/{ToDirect(95):0} ms{Complaint}");

    private string Complaint => Outcomes.FirstOrDefault(outcome => outcome.Complaint is not null)?.Complaint is { } words ? $"; {words.Trim().ReplaceLineEndings(" ")}" : "";

    // The nearest rank: a time that was measured, not one between two.
    private static double? Percentile(double[] times, int percent)
    {
        if (times.Length == 0) return null;
        Array.Sort(times);
        return times[Math.Max(0, (int)Math.Ceiling(times.Length * percent / 100.0) - 1)];
    }
}
