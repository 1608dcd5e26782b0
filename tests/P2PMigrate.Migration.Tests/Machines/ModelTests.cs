using System.Diagnostics;
using System.Text.RegularExpressions;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Tests.Machines;

/// <summary>
/// The model of the handover (chapter 11, section 12): it has the tables of the code, <c>spin</c> finds no error in it, and finds one in each variant that
/// breaks a rule.
/// </summary>
public sealed partial class ModelTests(ITestOutputHelper output)
{
    /// <summary>The variants of the model's own list.</summary>
    public static TheoryData<string> Variants => [.. Variant().Matches(Read("variants.txt")).Select(variant => variant.Groups[1].Value)];

    [Fact]
    [Trait("Spec", "MIG-10")]
    public void The_model_has_the_transitions_of_the_code()
    {
        Assert.Equal(SourceTransitions.Table.Rows.Select(row => $"{row.From} {row.On} {row.To}"), Rows("source-transitions.inc"));
        Assert.Equal(TargetTransitions.Table.Rows.Select(row => $"{row.From} {row.On} {row.To}"), Rows("target-transitions.inc"));
    }

    [Fact]
    [Trait("Spec", "MIG-54")]
    [Trait("Spec", "MIG-55")]
    public void The_model_recovers_as_the_code_does()
    {
        AssertRecovers<SourceState>("source-recovery.inc", RecoveryRules.ForSource);
        AssertRecovers<TargetState>("target-recovery.inc", RecoveryRules.ForTarget);
    }

    [Fact]
    [Trait("Spec", "MIG-42")]
    [Trait("Spec", "MIG-44")]
    public void No_run_of_the_model_breaks_a_promise()
    {
        (int code, string report) = RunModel();
        output.WriteLine(report);
        Assert.True(code == 0, report);
        Assert.Equal(4, Regex.Count(report, "states, depth +[0-9]+, errors: 0,"));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_model_with_a_broken_rule_is_caught(string variant)
    {
        (int code, string report) = RunModel(variant);
        output.WriteLine(report);
        Assert.True(code == 1, report);
        Assert.Contains("errors: 1", report, StringComparison.Ordinal);
    }

    /// <summary>
    /// The model has a row for each record of a journal that it names, torn behind it or not, and the rows say what the code does. What the code does with any other
    /// record is that nobody decides without a person.
    /// </summary>
    private static void AssertRecovers<TState>(string list, Func<int, bool, RecoveryAction> rule)
        where TState : struct, Enum
    {
        string[] rows = [.. Rows(list)];
        IEnumerable<string> records = Enum.GetNames<TState>().Append("Nothing").Where(record => rows.Any(row => row.StartsWith(record + " ", StringComparison.Ordinal)));
        IEnumerable<string> expected = from record in records
                                       from tail in new[] { "Clean", "Torn" }
                                       select $"{record} {tail} {rule(NumberOf<TState>(record), tail == "Torn")}";
        Assert.Equal(expected.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
        Assert.All(Enum.GetNames<TState>().Where(record => !records.Contains(record)), record => Assert.Equal(RecoveryAction.InDoubt, rule(NumberOf<TState>(record), false)));
        Assert.Contains("Nothing", records);
    }

    private static int NumberOf<TState>(string record)
        where TState : struct, Enum => record == "Nothing" ? 0 : Convert.ToInt32(Enum.Parse<TState>(record), null);

    private static (int Code, string Report) RunModel(params string[] arguments)
    {
        Assert.SkipUnless(IsOnPath("spin") && IsOnPath("gcc"), "needs spin and gcc; tests/install installs them as root");
        ProcessStartInfo start = new(Path.Combine(SpecificationTableTests.Root, "tests/model"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string report = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, report + errors.GetAwaiter().GetResult());
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>What a variant breaks stands behind <c>#ifdef</c> and counts for nothing.</summary>
    private static IEnumerable<string> Rows(string list) =>
        Row().Matches(Broken().Replace(Read(list), "")).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value} {row.Groups[3].Value}");

    private static string Read(string name) => File.ReadAllText(Path.Combine(SpecificationTableTests.Root, "protocol-spec/model", name));

    [GeneratedRegex(@"^ROW\((\w+), (\w+), (\w+)\)$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^#ifdef.*?^#else$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Broken();

    [GeneratedRegex(@"^([A-Z_]+) *:", RegexOptions.Multiline)]
    private static partial Regex Variant();
}
