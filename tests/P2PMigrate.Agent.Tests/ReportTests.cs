using System.Text.RegularExpressions;
using System.Xml.Linq;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Report;

namespace P2PMigrate.Agent.Tests;

/// <summary>The page that <c>migrate --report</c> leaves.</summary>
public sealed partial class ReportTests
{
    private const string Hostile = "<script src=\"https://evil.example/x.js\">&'\"</script>";

    [Fact]
    public void A_completed_migration_is_told_with_its_rounds_its_freeze_and_where_the_downtime_went()
    {
        string page = PageOf("web", new MigrationCompleted("web", "direct", 312, 4000, 1_000, 2_000, 3_000)
        {
            Rounds = 2, PredictedDowntimeMs = 300, Downtime = [new("freeze", 12), new("dump", 200), new("restore", 100)],
            Warning = "The copy could not be destroyed.",
        });

        foreach (string expected in new[] { "runs at the target", "312 ms", "300 ms predicted", "stopped for", "as short as wanted", "restore", "The copy could not be destroyed.", "10.0.0.7:1234" })
            Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.Equal(5, PicturesOf(page).Count(picture => picture.Attribute("role") is not null));
    }

    [Theory]
    [InlineData("source", "still runs at the source")]
    [InlineData("none", "is in doubt")]
    [InlineData("target", "It has moved")]
    public void A_failed_migration_says_why_and_where_the_container_runs(string where, string expected)
    {
        string page = PageOf("web", new MigrationFailed("The link broke.", where) { Remedy = "p2pmigrate resolve" });
        Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.Contains("The link broke.", page, StringComparison.Ordinal);
        Assert.Contains("p2pmigrate resolve", page, StringComparison.Ordinal);
        PicturesOf(page);
    }

    [Theory]
    [Trait("Spec", "MIG-103")]
    [InlineData(true, "stopped for 400 ms", "runs at the target")]
    [InlineData(false, "part of its memory has not", "runs at the target")]
    public void Memory_that_follows_is_a_phase_in_which_the_container_does_not_stand_still(bool completes, params string[] expected)
    {
        var record = new MigrationRecord(new ReportSubject("web", "here", "peer"), DateTimeOffset.UnixEpoch);
        AgentEvent[] events =
        [
            new PhaseStarted("freezing"), new PhaseFinished("freezing", 100, 0), new PhaseStarted("committing"), new PhaseFinished("committing", 100, 0), new MemoryFollows("web"), new PhaseStarted("giving"),
            new PhaseProgressed("giving", 1_000, 4_000),
            .. completes ? new AgentEvent[] { new PhaseFinished("giving", 100, 4_000), new MigrationCompleted("web", "direct", 400, 4000, 1, 2, 3) } : [new MigrationFailed("The link broke.", "target")],
        ];
        for (int i = 0; i < events.Length; i++)
            record.Add(events[i], TimeSpan.FromMilliseconds(i is 5 ? 400 : 100 * i));
        string page = ReportPage.Of(record);
        Assert.All(expected, words => Assert.Contains(words, page, StringComparison.Ordinal));
        Assert.Contains("phase-giving", page, StringComparison.Ordinal);
        Assert.DoesNotContain("still here, frozen", page, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_failed_before_anything_happened_leaves_a_page_too()
    {
        var record = new MigrationRecord(new ReportSubject("", "here", ""), DateTimeOffset.UnixEpoch);
        Assert.Contains("mid-migration", ReportPage.Of(record), StringComparison.Ordinal);
        Assert.Contains("Type the same command at the source", ReportPage.Of(record), StringComparison.Ordinal);
        record.Add(new MigrationFailed("No such container.", "source"), TimeSpan.Zero);
        Assert.Contains("No such container.", ReportPage.Of(record), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_that_others_say_is_more_than_text_and_nothing_is_fetched()
    {
        string page = PageOf(Hostile, new MigrationFailed(Hostile, "source") { Remedy = Hostile }, new FindingMade(Hostile, Hostile, Hostile, Hostile, Hostile), new PathChosen(Hostile, Hostile, 1), new PhaseStarted(Hostile));
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(Fetching(), page);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        PicturesOf(page);
    }

    [Fact]
    public void Figures_that_no_migration_has_break_no_page()
    {
        var record = new MigrationRecord(new ReportSubject("web", "a", "b"), DateTimeOffset.UnixEpoch);
        record.Add(new PhaseStarted("copying"), TimeSpan.Zero);
        record.Add(new PhaseProgressed("copying", 0, null), TimeSpan.Zero);
        record.Add(new PhaseFinished("copying", 0, 0), TimeSpan.Zero);
        record.Add(new RoundCompleted(0, 0, 0, 0, 0, 0, 0, 0), TimeSpan.Zero);
        record.Add(new PhaseStarted("freezing"), TimeSpan.Zero);
        record.Add(new MigrationCompleted("web", "direct", 0, 0, 0, 0, 0), TimeSpan.Zero);
        string page = ReportPage.Of(record);
        PicturesOf(page);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", page, StringComparison.Ordinal);
    }

    private static string PageOf(string container, AgentEvent end, params AgentEvent[] before)
    {
        var record = new MigrationRecord(new ReportSubject(container, "here", "peer"), DateTimeOffset.UnixEpoch);
        AgentEvent[] events =
        [
            new PathChosen("direct", "10.0.0.7:1234", 0.5), .. before,
            new PhaseStarted("copying"), new PhaseProgressed("copying", 1_000_000, 4_000_000),
            new RoundCompleted(0, 3_000_000, 2_000_000, 1_500_000, 1_000_000, 100, 15e6, 300) { PredictedDowntimeMs = 900, ExpectedBytes = 2_000_000 },
            new PhaseFinished("copying", 900, 4_500_000), new PhaseStarted("copying (round 1)"),
            new RoundCompleted(1, 1_000, 2_000_000, 100_000, 90_000, 50, 2e6, 300)
            {
                PredictedDowntimeMs = 290, DirtyBytesPerSecond = 1e6, ExpectedBytes = 1_000, End = "targetMet", EndReason = "Stopping the container: the downtime is as short as wanted.",
            },
            new PhaseFinished("copying (round 1)", 60, 101_000), new PhaseStarted("freezing"), new PhaseFinished("freezing", 12, 0),
            new PhaseStarted("dumping"), new PhaseFinished("dumping", 200, 1_000), new PhaseStarted("destroying"), end,
        ];
        for (int i = 0; i < events.Length; i++)
            record.Add(events[i], TimeSpan.FromMilliseconds(100 * i));
        return ReportPage.Of(record);
    }

    /// <summary>Every picture of the page, read as XML: whatever is wrong in one throws.</summary>
    private static XElement[] PicturesOf(string page) => [.. Picture().Matches(page).Select(match => XElement.Parse(match.Value))];

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Picture();

    [GeneratedRegex("""<(script|link|img|iframe|object|embed|base|form)\b|url\(|@import|\s(src|href|on\w+)\s*=\s*["']""", RegexOptions.IgnoreCase)]
    private static partial Regex Fetching();
}
