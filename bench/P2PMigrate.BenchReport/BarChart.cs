using System.Globalization;
using System.Security;
using System.Text;

namespace P2PMigrate.BenchReport;

/// <summary>One bar: a median, and the values it is the median of. What is ours is named <c>p2pmigrate …</c>.</summary>
public sealed record Bar(string Name, double Median, IReadOnlyList<double> Values);

/// <summary>Bars that share a scale.</summary>
public sealed record BarGroup(string Name, IReadOnlyList<Bar> Bars);

/// <summary>A bench's figures as bars in groups, with the range of the runs as a line: an SVG file without dependencies.</summary>
public static class BarChart
{
    private const int Width = 860, LabelWidth = 240, BarHeight = 16, Gap = 6, GroupHead = 34;

    /// <summary>Groups without bars are left out. <paramref name="format"/> is a number's, such as <c>0.#</c>.</summary>
    public static string Draw(string title, string format, IEnumerable<BarGroup> groups)
    {
        var body = new StringBuilder();
        int y = 40;
        foreach (BarGroup group in groups.Where(group => group.Bars.Count > 0))
        {
            body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"{y + 20}\" font-weight=\"bold\">{SecurityElement.Escape(group.Name)}</text>");
            y += GroupHead;
            double most = group.Bars.Max(bar => bar.Values.Max());
            foreach (Bar bar in group.Bars)
                y = AppendBar(body, bar, most, format, y);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{y + 10}\" font-family=\"sans-serif\" font-size=\"12\">\n" +
            $"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"10\" y=\"24\" font-size=\"16\">{SecurityElement.Escape(title)}, median and range</text>\n{body}</svg>\n");
    }

    private static int AppendBar(StringBuilder body, Bar bar, double most, string format, int y)
    {
        double scale = (Width - LabelWidth - 90) / most;
        double length = bar.Median * scale;
        double low = LabelWidth + bar.Values.Min() * scale, high = LabelWidth + bar.Values.Max() * scale;
        string colour = bar.Name.StartsWith("p2pmigrate", StringComparison.Ordinal) ? "#2a6fb0" : "#b8b8b8";
        string figure = bar.Median.ToString(format, CultureInfo.InvariantCulture);
        int middle = y + BarHeight / 2;
        body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + 12}\" text-anchor=\"end\">{SecurityElement.Escape(bar.Name)}</text>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{length:0.#}\" height=\"{BarHeight}\" fill=\"{colour}\"/>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<path d=\"M{low:0.#} {middle}H{high:0.#}\" stroke=\"black\"/>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{Math.Max(high, LabelWidth + length) + 6:0.#}\" y=\"{y + 12}\">{figure}</text>");
        return y + BarHeight + Gap;
    }
}
