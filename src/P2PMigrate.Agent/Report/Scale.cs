using System.Globalization;

namespace P2PMigrate.Agent.Report;

/// <summary>An axis from 0 to a round number not below <paramref name="largest"/>, and where a value is on it.</summary>
internal sealed class Scale(double largest, double from, double to)
{
    private readonly double _step = StepFor(largest);

    /// <summary>The values at which a line is drawn, 0 first.</summary>
    public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round(End / _step) + 1).Select(tick => tick * _step);

    private double End => Math.Max(_step, Math.Ceiling((largest / _step) - 1e-9) * _step);

    /// <summary>The place of a value.</summary>
    public double At(double value) => from + (value / End * (to - from));

    /// <summary>Milliseconds as a person says them.</summary>
    public static string Time(double milliseconds) => milliseconds < 1000
        ? milliseconds.ToString(milliseconds < 10 && milliseconds != Math.Floor(milliseconds) ? "0.0" : "0", CultureInfo.InvariantCulture) + " ms"
        : (milliseconds / 1000).ToString(milliseconds < 10_000 ? "0.##" : "0.#", CultureInfo.InvariantCulture) + " s";

    private static double StepFor(double largest)
    {
        double rough = Math.Max(largest, 1e-9) / 4;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double leading = rough / power;
        return power * (leading <= 1 ? 1 : leading <= 2 ? 2 : leading <= 5 ? 5 : 10);
    }
}
