using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Report;

/// <summary>The live rounds side by side: what each sent, how fast, how fast memory changed meanwhile, and what the downtime would have been.</summary>
internal static class RoundsChart
{
    private const double Width = 310, Height = 200, Left = 66, Right = 10, Top = 12, Bottom = 24;

    /// <summary>Content of files and of memory.</summary>
    public static string Bytes(IReadOnlyList<RoundCompleted> rounds)
    {
        (SvgText svg, Scale scale) = Begin("Bytes sent in each round", rounds.Max(round => (double)(round.RootfsBytes + round.NewBytes)), tick => ByteText.Of((long)tick));
        for (int i = 0; i < rounds.Count; i++)
        {
            (double x, double width) = Place(i, rounds.Count);
            double files = scale.At(rounds[i].RootfsBytes), top = scale.At(rounds[i].RootfsBytes + rounds[i].NewBytes);
            svg.Rectangle(x, files, width, scale.At(0) - files, "files", $"round {rounds[i].Round}: files {ByteText.Of(rounds[i].RootfsBytes)}");
            svg.Rectangle(x, top, width, files - top, "memory", $"round {rounds[i].Round}: memory {ByteText.Of(rounds[i].NewBytes)} of {ByteText.Of(rounds[i].MemoryBytes)}");
            Label(svg, i, rounds);
        }

        return svg.ToString();
    }

    /// <summary>The rate at which memory was sent beside the rate at which it changes.</summary>
    public static string Rates(IReadOnlyList<RoundCompleted> rounds)
    {
        double largest = rounds.Max(round => Math.Max(round.BytesPerSecond, round.DirtyBytesPerSecond ?? 0));
        (SvgText svg, Scale scale) = Begin("Rates in each round", Math.Max(largest, 1), tick => tick == 0 ? "0" : ByteText.Of((long)tick) + "/s");
        for (int i = 0; i < rounds.Count; i++)
        {
            (double x, double width) = Place(i, rounds.Count);
            Bar(svg, x, width / 2, scale, rounds[i].BytesPerSecond, "rate", "sent at");
            if (rounds[i].DirtyBytesPerSecond is { } dirty)
                Bar(svg, x + (width / 2), width / 2, scale, dirty, "dirty", "changed at");
            Label(svg, i, rounds);
        }

        return svg.ToString();
    }

    /// <summary>The predicted downtime after each round, what was wanted, and what it was in the end.</summary>
    public static string Predictions(IReadOnlyList<RoundCompleted> rounds, double? measuredMs)
    {
        double target = rounds[0].DowntimeTargetMs;
        double largest = Math.Max(Math.Max(target, measuredMs ?? 0), rounds.Max(round => round.PredictedDowntimeMs ?? 0));
        (SvgText svg, Scale scale) = Begin("Predicted downtime after each round", largest, Scale.Time);
        svg.Line(Left, scale.At(target), Width - Right, scale.At(target), "target");
        if (measuredMs is { } measured)
            svg.Line(Left, scale.At(measured), Width - Right, scale.At(measured), "measured");
        var points = new List<(double X, double Y)>();
        for (int i = 0; i < rounds.Count; i++)
        {
            (double x, double width) = Place(i, rounds.Count);
            Label(svg, i, rounds);
            if (rounds[i].PredictedDowntimeMs is not { } predicted)
                continue;
            points.Add((x + (width / 2), scale.At(predicted)));
        }

        svg.Curve(points, "curve");
        foreach ((double x, double y) in points)
            svg.Circle(x, y, 4, "dot");
        return svg.ToString();
    }

    private static (SvgText Svg, Scale Scale) Begin(string label, double largest, Func<double, string> text)
    {
        var svg = new SvgText(Width, Height, label);
        var scale = new Scale(largest, Height - Bottom, Top);
        foreach (double tick in scale.Ticks)
        {
            svg.Line(Left, scale.At(tick), Width - Right, scale.At(tick), "grid");
            svg.Text(Left - 8, scale.At(tick) + 4, tick == 0 ? "0" : text(tick), "axis", "end");
        }

        return (svg, scale);
    }

    private static void Bar(SvgText svg, double x, double width, Scale scale, double rate, string style, string word) =>
        svg.Rectangle(x, scale.At(rate), width, scale.At(0) - scale.At(rate), style, $"{word} {ByteText.Of((long)rate)}/s");

    private static void Label(SvgText svg, int index, IReadOnlyList<RoundCompleted> rounds)
    {
        (double x, double width) = Place(index, rounds.Count);
        svg.Text(x + (width / 2), Height - Bottom + 16, $"{rounds[index].Round}", "axis", "middle");
    }

    private static (double X, double Width) Place(int index, int count)
    {
        double room = (Width - Left - Right) / count, width = Math.Min(room * 0.7, 44);
        return (Left + (room * index) + ((room - width) / 2), width);
    }
}
