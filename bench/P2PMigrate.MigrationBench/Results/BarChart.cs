using System.Globalization;
using System.Security;
using System.Text;

namespace P2PMigrate.MigrationBench.Results;

/// <summary>The table's downtimes as bars, one group for each workload and link, with the range of the runs as a line: an SVG file without dependencies.</summary>
internal static class BarChart
{
    private const int Width = 860, LabelWidth = 240, BarHeight = 16, Gap = 6, GroupHead = 34;

    public static string Draw(string title, IReadOnlyList<Row> rows)
    {
        var body = new StringBuilder();
        int y = 40;
        foreach (IGrouping<(string Link, string Workload), Row> ground in rows.Where(row => row.Samples.Count > 0).GroupBy(row => (row.Link, row.Workload)))
        {
            body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"{y + 20}\" font-weight=\"bold\">{SecurityElement.Escape($"{ground.Key.Workload}, {ground.Key.Link}")}</text>");
            y += GroupHead;
            double most = ground.Max(row => row.Samples.Max(sample => sample.DowntimeMs));
            foreach (Row row in ground)
                y = AppendBar(body, row, most, y);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{y + 10}\" font-family=\"sans-serif\" font-size=\"12\">\n" +
            $"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"10\" y=\"24\" font-size=\"16\">{SecurityElement.Escape(title)}: downtime in ms, median and range</text>\n{body}</svg>\n");
    }

    private static int AppendBar(StringBuilder body, Row row, double most, int y)
    {
        double scale = (Width - LabelWidth - 90) / most;
        double length = row.DowntimeMs * scale;
        double low = LabelWidth + row.Samples.Min(sample => sample.DowntimeMs) * scale, high = LabelWidth + row.Samples.Max(sample => sample.DowntimeMs) * scale;
        string colour = row.Contender.StartsWith("p2pmigrate", StringComparison.Ordinal) ? "#2a6fb0" : "#b8b8b8";
        int middle = y + BarHeight / 2;
        body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + 12}\" text-anchor=\"end\">{SecurityElement.Escape(row.Contender)}</text>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{length:0.#}\" height=\"{BarHeight}\" fill=\"{colour}\"/>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<path d=\"M{low:0.#} {middle}H{high:0.#}\" stroke=\"black\"/>");
        body.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{Math.Max(high, LabelWidth + length) + 6:0.#}\" y=\"{y + 12}\">{row.DowntimeMs:0}</text>");
        return y + BarHeight + Gap;
    }
}
