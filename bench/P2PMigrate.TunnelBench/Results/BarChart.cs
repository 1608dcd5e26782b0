using System.Globalization;
using System.Security;
using System.Text;

namespace P2PMigrate.TunnelBench.Results;

/// <summary>The table's rates as bars, one group for each link, with the range of the runs as a line: an SVG file without dependencies.</summary>
internal static class BarChart
{
    private const int Width = 860, LabelWidth = 240, BarHeight = 16, Gap = 6, GroupHead = 34;

    public static string Draw(string title, IReadOnlyList<Row> rows)
    {
        var body = new StringBuilder();
        int y = 40;
        foreach (IGrouping<string, Row> link in rows.GroupBy(row => row.Link))
        {
            Row[] bars = [.. link.Where(row => row.Samples.Count > 0)];
            if (bars.Length == 0)
                continue;
            body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"{y + 20}\" font-weight=\"bold\">{SecurityElement.Escape(link.Key)}</text>");
            y += GroupHead;
            double most = bars.Max(row => row.Samples.Max(sample => sample.BytesPerSecond));
            foreach (Row row in bars)
                y = AppendBar(body, row, most, y);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{y + 10}\" font-family=\"sans-serif\" font-size=\"12\">\n" +
            $"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"10\" y=\"24\" font-size=\"16\">{SecurityElement.Escape(title)}: Mbit/s, median and range</text>\n{body}</svg>\n");
    }

    private static int AppendBar(StringBuilder body, Row row, double most, int y)
    {
        double scale = (Width - LabelWidth - 90) / most;
        double length = row.BytesPerSecond * scale;
        double low = LabelWidth + row.Samples.Min(sample => sample.BytesPerSecond) * scale, high = LabelWidth + row.Samples.Max(sample => sample.BytesPerSecond) * scale;
        string colour = row.Contender.StartsWith("p2pmigrate", StringComparison.Ordinal) ? "#2a6fb0" : "#b8b8b8";
        int middle = y + BarHeight / 2;
        body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + 12}\" text-anchor=\"end\">{SecurityElement.Escape(row.Contender)}</text>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{length:0.#}\" height=\"{BarHeight}\" fill=\"{colour}\"/>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<path d=\"M{low:0.#} {middle}H{high:0.#}\" stroke=\"black\"/>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{Math.Max(high, LabelWidth + length) + 6:0.#}\" y=\"{y + 12}\">{row.BytesPerSecond * 8 / 1e6:0.#}</text>");
        return y + BarHeight + Gap;
    }
}
