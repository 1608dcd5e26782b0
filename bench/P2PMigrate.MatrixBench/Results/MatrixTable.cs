using System.Globalization;
using System.Text;
using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench;

/// <summary>Figures as Markdown: an overview with a row for who dials and a column for who is dialled, then every cell.</summary>
internal sealed class MatrixTable(MatrixFigures figures)
{
    private readonly Dictionary<string, CellResult> _cells = figures.Cells.ToDictionary(cell => cell.Cell);

    public string Markdown()
    {
        var text = new StringBuilder();
        Line(text, $"# {figures.Contender}{(figures.Leg is null ? "" : $", rendezvous at {figures.Leg}")}");
        Line(text, "");
        Line(text, $"{Share(cell => cell.Connected)} of all attempts connected, {Share(cell => cell.Direct, Expectation.Direct)} of those that plain probes can make direct were direct, " +
            $"{Share(cell => cell.Direct, Expectation.Guessed)} of those that guessing can; cells as expected: {figures.Cells.Count(cell => cell.IsAsExpected)} of {figures.Cells.Count}.");
        Line(text, "");
        Overview(text);
        Line(text, "");
        Line(text, "| source dials target | expected | n | connected | direct | first byte p50 / p95, ms | direct p50 / p95, ms | |");
        Line(text, "|---|---|---|---|---|---|---|---|");
        foreach (CellResult cell in figures.Cells.OrderBy(cell => Order(cell.Cell)).ThenBy(cell => cell.Cell, StringComparer.Ordinal))
        {
            Line(text, $"| {cell.Cell} | {Word(cell.Expected)} | {cell.Outcomes.Count} | {Percent(cell.Connected, cell.Outcomes.Count)} | {Percent(cell.Direct, cell.Outcomes.Count)} " +
                $"| {Pair(cell.FirstByte)} | {Pair(cell.ToDirect)} | {(cell.IsAsExpected ? "" : "**short**")} |");
        }

        return text.ToString();
    }

    /// <summary>Direct %, with what is short of the expectation in bold; a cell that did not always connect says how often it did.</summary>
    private void Overview(StringBuilder text)
    {
        NatKind[] kinds = [.. NatKind.All.Where(kind => _cells.Keys.Any(cell => cell.Split(':').Contains(kind.Name)))];
        Line(text, $"| direct, % | {string.Join(" | ", kinds.Select(kind => kind.Name))} |");
        Line(text, $"|---|{string.Concat(kinds.Select(_ => "---|"))}");
        foreach (NatKind source in kinds)
            Line(text, $"| {source} | {string.Join(" | ", kinds.Select(target => Glance(new Cell(source, target).Name)))} |");
    }

    private string Glance(string name)
    {
        if (!_cells.TryGetValue(name, out CellResult? cell)) return "";
        string direct = Percent(cell.Direct, cell.Outcomes.Count);
        string text = cell.Connected == cell.Outcomes.Count ? direct : $"{direct}, connected {Percent(cell.Connected, cell.Outcomes.Count)}";
        return (cell.IsAsExpected ? text : $"**{text}**") + (cell.Expected == Expectation.Direct ? "" : $" ({Word(cell.Expected)})");
    }

    private string Share(Func<CellResult, int> count, Expectation? expected = null)
    {
        CellResult[] cells = [.. figures.Cells.Where(cell => expected is null || cell.Expected == expected)];
        return cells.Length == 0 ? "none" : $"{Percent(cells.Sum(count), cells.Sum(cell => cell.Outcomes.Count))} %";
    }

    private static int Order(string cell) => NatKind.All.TakeWhile(kind => !cell.StartsWith(kind.Name + ":", StringComparison.Ordinal)).Count();

    private static string Word(Expectation expected) => expected switch
    {
        Expectation.Direct => "direct",
        Expectation.Guessed => "guess",
        _ => "relay",
    };

    private static string Pair(Func<int, double?> percentile) =>
        percentile(50) is { } half && percentile(95) is { } most ? string.Create(CultureInfo.InvariantCulture, $"{half:0} / {most:0}") : "";

    private static string Percent(int part, int whole) => string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0}");

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
