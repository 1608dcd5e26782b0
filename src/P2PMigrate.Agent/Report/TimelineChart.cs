using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>The whole migration by the clock: its phases, when the container was stopped, and how fast content moved.</summary>
internal static class TimelineChart
{
    private const double Width = 960, Left = 76, Right = 16, PhaseTop = 26, PhaseHeight = 30, RateTop = 78, RateHeight = 120, Bottom = 30;
    private const double LeastLabelWidth = 46, LeastBar = 1.5, LetterWidth = 6.2;
    private const int Buckets = 120;

    public static string Of(MigrationRecord record)
    {
        var svg = new SvgText(Width, RateTop + RateHeight + Bottom, "Timeline of the migration");
        var time = new Scale(record.Length.TotalMilliseconds, Left, Width - Right);
        DrawFrozen(svg, record, time);
        foreach (double tick in time.Ticks)
        {
            svg.Line(time.At(tick), RateTop, time.At(tick), RateTop + RateHeight, "grid");
            svg.Text(time.At(tick), RateTop + RateHeight + 18, Scale.Time(tick), "axis", "middle");
        }

        svg.Text(Left - 10, PhaseTop + (PhaseHeight / 2) + 4, "phase", "axis", "end");
        foreach (PhaseSpan phase in record.Phases)
            DrawPhase(svg, phase, time);
        DrawRate(svg, record, time);
        return svg.ToString();
    }

    private static void DrawFrozen(SvgText svg, MigrationRecord record, Scale time)
    {
        if (record.Frozen is not { } frozen)
            return;
        double start = time.At(frozen.Start.TotalMilliseconds), end = Math.Max(start + 2, time.At(frozen.End.TotalMilliseconds));
        string words = $"stopped for {Scale.Time((frozen.End - frozen.Start).TotalMilliseconds)}";
        svg.Rectangle(start, PhaseTop - 6, end - start, RateTop + RateHeight - PhaseTop + 6, "frozen", words);
        bool isRight = start > Width / 2;
        svg.Text(isRight ? end : start, PhaseTop - 12, words, "frozen-text", isRight ? "end" : "start");
    }

    private static void DrawPhase(SvgText svg, PhaseSpan phase, Scale time)
    {
        double start = time.At(phase.Start.TotalMilliseconds), width = Math.Max(LeastBar, time.At(phase.End.TotalMilliseconds) - start);
        string kind = phase.Phase.Split(' ')[0];
        string tip = $"{phase.Phase}: {Scale.Time((phase.End - phase.Start).TotalMilliseconds)}{(phase.Finished ? "" : ", broken off")}";
        svg.Rectangle(start + 0.5, PhaseTop, width - 1, PhaseHeight, $"phase phase-{kind}{(phase.Finished ? "" : " broken")}", tip, round: 3);
        string label = phase.Phase.Replace("copying (round ", "round ", StringComparison.Ordinal).TrimEnd(')');
        if (width >= Math.Max(LeastLabelWidth, label.Length * LetterWidth))
            svg.Text(start + (width / 2), PhaseTop + (PhaseHeight / 2) + 4, label, "on-bar", "middle");
    }

    private static void DrawRate(SvgText svg, MigrationRecord record, Scale time)
    {
        double[] rates = RatesOf(record);
        var scale = new Scale(Math.Max(rates.Max(), 1), RateTop + RateHeight, RateTop);
        foreach (double tick in scale.Ticks)
        {
            svg.Line(Left, scale.At(tick), Width - Right, scale.At(tick), "grid");
            svg.Text(Left - 10, scale.At(tick) + 4, tick == 0 ? "0" : ByteText.Of((long)tick) + "/s", "axis", "end");
        }

        double bucket = record.Length.TotalMilliseconds / Buckets;
        (double, double)[] points = [.. rates.Select((rate, index) => (time.At((index + 0.5) * bucket), scale.At(rate)))];
        svg.Curve(points, "area", isArea: true, RateTop + RateHeight);
        svg.Curve(points, "curve");
    }

    /// <summary>Bytes a second in each of equal pieces of the time, from reports that come when they come: what moved between two of them moved evenly.</summary>
    private static double[] RatesOf(MigrationRecord record)
    {
        double length = Math.Max(record.Length.TotalSeconds, 1e-3), bucket = length / Buckets;
        double[] rates = new double[Buckets];
        for (int i = 1; i < record.Progress.Count; i++)
        {
            (double from, double to) = (record.Progress[i - 1].Time.TotalSeconds, record.Progress[i].Time.TotalSeconds);
            double bytes = record.Progress[i].Bytes - record.Progress[i - 1].Bytes;
            if (bytes <= 0)
                continue;
            from = Math.Min(from, to - 1e-6);
            for (int piece = Math.Max(0, (int)(from / bucket)); piece < Buckets && piece * bucket < to; piece++)
            {
                double overlap = Math.Min(to, (piece + 1) * bucket) - Math.Max(from, piece * bucket);
                rates[piece] += Math.Max(0, overlap) / (to - from) * bytes / bucket;
            }
        }

        return rates;
    }
}
