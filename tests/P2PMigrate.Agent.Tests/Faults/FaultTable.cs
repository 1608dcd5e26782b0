using System.Globalization;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>
/// Which cells are run: a few, one of each kind, unless <c>P2PMIGRATE_FAULTS</c> says <c>all</c>, or a part of all such as <c>2/3</c>, or <c>random COUNT SEED</c>, or <c>like WORDS</c>. Rows go to the file that
/// <c>P2PMIGRATE_FAULT_TABLE</c> names.
/// </summary>
internal static class FaultTable
{
    private static readonly (string Moment, string Fault)[] s_few =
    [
        ("source freezing", "source agent killed"),
        ("source committed", "source agent killed"),
        ("source committed", "target criu killed"),
        ("source dumping", "source criu killed"),
        ("target restoring", "target criu killed"),
        ("target holding", "target gone"),
        ("target releasing", "target agent killed"),
        ("target releasing", "target criu killed"),
        ("target confirming", "link cut for 30 s"),
        ("target receiving", "restore hook fails at post-restore"),
        ("target holding", "target clock a day on"),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> Chosen() => Choose().Select(cell => new TheoryDataRow<string, string>(cell.Moment, cell.Fault));

    /// <summary>A row for the table's file, if there is one.</summary>
    public static void Add(string row)
    {
        if (Environment.GetEnvironmentVariable("P2PMIGRATE_FAULT_TABLE") is { Length: > 0 } file)
            File.AppendAllText(file, row + "\n");
    }

    private static IEnumerable<(string Moment, string Fault)> Choose()
    {
        (string Moment, string Fault)[] all =
        [
            .. from moment in Moment.All from fault in Fault.All select (moment.Name, fault.Name),
            .. from entry in Fault.WithMoments select (entry.Moment, entry.Fault.Name),
        ];
        switch (Environment.GetEnvironmentVariable("P2PMIGRATE_FAULTS")?.Split(' ', '/'))
        {
            case ["all"]:
                return all;
            case [var part, var parts]:
                return all.Where((_, index) => index % Number(parts) == Number(part) - 1);
            case ["random", var count, var seed]:
                var random = new Random(Number(seed));
                return [.. Enumerable.Range(0, Number(count)).Select(_ => all[random.Next(all.Length)]).Distinct()];
            case [.. var words] when words.Length > 0 && words[0] == "like":
                string like = string.Join(' ', words[1..]);
                return all.Where(cell => $"{cell.Moment} {cell.Fault}".Contains(like, StringComparison.Ordinal));
            default:
                return s_few;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
