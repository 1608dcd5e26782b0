using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>Where the downtime went: its parts one after the other on one bar, to scale.</summary>
internal static class DowntimeChart
{
    private const double Width = 960, Left = 8, Right = 8, Top = 8, BarHeight = 40, Bottom = 28, LetterWidth = 7;

    public static string Of(MigrationCompleted completed)
    {
        var svg = new SvgText(Width, Top + BarHeight + Bottom, "Where the downtime went");
        double sum = Math.Max(completed.Downtime.Sum(part => part.Ms), 0.1), at = 0;
        double MillisecondAt(double ms) => Left + (ms / sum * (Width - Left - Right));
        foreach (PhaseDuration part in completed.Downtime)
        {
            double x = MillisecondAt(at), width = MillisecondAt(at + part.Ms) - x;
            svg.Rectangle(x, Top, width, BarHeight, $"part part-{part.Phase}", $"{part.Phase}: {Scale.Time(part.Ms)}");
            if (width > (part.Phase.Length + 1) * LetterWidth)
                svg.Text(x + (width / 2), Top + (BarHeight / 2) + 4, part.Phase, "on-bar", "middle");
            at += part.Ms;
        }

        foreach (double tick in new Scale(sum, 0, 1).Ticks.Where(tick => tick <= sum))
        {
            svg.Line(MillisecondAt(tick), Top + BarHeight, MillisecondAt(tick), Top + BarHeight + 5, "tick");
            svg.Text(MillisecondAt(tick), Top + BarHeight + 20, Scale.Time(tick), "axis", tick == 0 ? "start" : tick > sum * 0.97 ? "end" : "middle");
        }

        return svg.ToString();
    }
}
