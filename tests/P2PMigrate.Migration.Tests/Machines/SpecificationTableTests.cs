using System.Reflection;
using System.Text.RegularExpressions;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Tests.Machines;

/// <summary>The tables of chapter 11 and the tables in the code are the same; the machines are pure.</summary>
public sealed partial class SpecificationTableTests
{
    private static readonly string[] s_impure =
    [
        "Task", "ValueTask", "async ", "await ", "Thread", "Timer(", "DateTime", "Stopwatch", "TimeProvider", "Environment.", "Random", "Guid.",
        "File.", "Directory.", "Socket", "Console", "lock (", "ILogger", "Lock ",
    ];

    [Fact]
    [Trait("Spec", "MIG-10")]
    public void The_source_has_the_transitions_of_the_chapter() =>
        Assert.Equal(
            SourceTransitions.Table.Rows.Select(row => $"{row.From} {row.On} {row.To}"),
            Rows("### 3.1"));

    [Fact]
    [Trait("Spec", "MIG-10")]
    public void The_target_has_the_transitions_of_the_chapter() =>
        Assert.Equal(
            TargetTransitions.Table.Rows.Select(row => $"{row.From} {row.On} {row.To}"),
            Rows("### 3.2"));

    [Fact]
    public void Every_state_that_is_no_end_has_a_way_out_and_every_end_has_none()
    {
        Assert.All(Enum.GetValues<SourceState>(), state =>
            Assert.Equal(SourceTransitions.IsEnd(state), SourceTransitions.Table.Rows.All(row => row.From != state)));
        Assert.All(Enum.GetValues<TargetState>(), state =>
            Assert.Equal(TargetTransitions.IsEnd(state), TargetTransitions.Table.Rows.All(row => row.From != state)));
    }

    [Fact]
    [Trait("Spec", "MIG-42")]
    public void From_the_commit_point_on_no_way_leads_back()
    {
        HashSet<SourceState> reachable = [SourceState.Committed];
        while (SourceTransitions.Table.Rows.Any(row => reachable.Contains(row.From) && reachable.Add(row.To)))
        {
        }

        Assert.DoesNotContain(SourceState.RollingBack, reachable);
        Assert.DoesNotContain(SourceState.RolledBack, reachable);
    }

    [Fact]
    [Trait("Spec", "MIG-44")]
    public void Only_the_commit_leads_to_the_release() =>
        Assert.Equal(
            [TargetEvent.CommitHeard],
            TargetTransitions.Table.Rows.Where(row => row.To == TargetState.Releasing).Select(row => row.On));

    [Fact]
    public void The_folder_of_the_machines_touches_nothing_of_the_world() =>
        Assert.Empty(
            from path in Directory.EnumerateFiles(Path.Combine(Root, "src/P2PMigrate.Migration/Machines"), "*.cs")
            from line in File.ReadLines(path)
            let code = line.Split("//")[0]
            from word in s_impure
            where code.Contains(word, StringComparison.Ordinal)
            select $"{Path.GetFileName(path)}: {line.Trim()}");

    internal static string Root { get; } = FindRoot();

    private static IEnumerable<string> Rows(string heading)
    {
        string chapter = File.ReadAllText(Path.Combine(Root, "protocol-spec/11-migration.md"));
        string section = chapter[chapter.IndexOf(heading, StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n#", 1, StringComparison.Ordinal)];
        return Row().Matches(section).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value} {row.Groups[3].Value}");
    }

    private static string FindRoot()
    {
        string? directory = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location);
        while (directory is not null && !File.Exists(Path.Combine(directory, "P2PMigrate.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new DirectoryNotFoundException("The tests run outside the tree they read.");
    }

    [GeneratedRegex(@"^\| ([A-Z]\w+) \| ([A-Z]\w+) \| ([A-Z]\w+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
