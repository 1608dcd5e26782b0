using System.Globalization;
using System.Net;
using System.Text;

namespace P2PMigrate.Agent.Report;

/// <summary>An SVG picture in the making: shapes with a class of the report's style sheet, every text escaped.</summary>
internal sealed class SvgText(double width, double height, string label)
{
    private readonly StringBuilder _shapes = new();

    public double Width => width;

    public double Height => height;

    public void Rectangle(double x, double y, double w, double h, string style, string? tip = null, double round = 0) =>
        _shapes.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{Math.Max(0, w):0.##}\" height=\"{Math.Max(0, h):0.##}\" rx=\"{round:0.##}\" class=\"{WebUtility.HtmlEncode(style)}\">{Tip(tip)}</rect>");

    public void Line(double x1, double y1, double x2, double y2, string style) =>
        _shapes.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.##}\" y1=\"{y1:0.##}\" x2=\"{x2:0.##}\" y2=\"{y2:0.##}\" class=\"{WebUtility.HtmlEncode(style)}\"/>");

    public void Circle(double x, double y, double r, string style, string? tip = null) =>
        _shapes.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x:0.##}\" cy=\"{y:0.##}\" r=\"{r:0.##}\" class=\"{WebUtility.HtmlEncode(style)}\">{Tip(tip)}</circle>");

    /// <summary><paramref name="anchor"/> is <c>start</c>, <c>middle</c> or <c>end</c>.</summary>
    public void Text(double x, double y, string text, string style, string anchor = "start") =>
        _shapes.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\" class=\"{WebUtility.HtmlEncode(style)}\">{WebUtility.HtmlEncode(text)}</text>");

    /// <summary>A line through points; with <paramref name="isArea"/> it is closed at the height <paramref name="floor"/>.</summary>
    public void Curve(IReadOnlyList<(double X, double Y)> points, string style, bool isArea = false, double floor = 0)
    {
        if (points.Count < 2)
            return;
        IEnumerable<(double X, double Y)> all = isArea ? [(points[0].X, floor), .. points, (points[^1].X, floor)] : points;
        string text = string.Join(' ', all.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")));
        _shapes.Append(CultureInfo.InvariantCulture, $"<{(isArea ? "polygon" : "polyline")} points=\"{text}\" class=\"{WebUtility.HtmlEncode(style)}\"/>");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"<svg viewBox=\"0 0 {width:0.##} {height:0.##}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(label)}\">{_shapes}</svg>");

    private static string Tip(string? text) => text is null ? "" : $"<title>{WebUtility.HtmlEncode(text)}</title>";
}
