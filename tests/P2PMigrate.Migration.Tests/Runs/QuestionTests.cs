using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.Machines;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

public sealed class QuestionTests
{
    [Fact]
    [Trait("Spec", "MIG-170")]
    public async Task A_question_is_answered_with_everything_that_was_found_and_changes_nothing()
    {
        await using var rig = new MigrationRig();
        rig.Target.Runtime.TargetFindings.AddRange(
        [
            new Finding(FindingSeverity.Good, "criu", "CRIU is there."),
            new Finding(FindingSeverity.Blocker, "cpu", "The target's processor lacks avx512f.", "Choose another target."),
        ]);
        rig.Target.Environment.State.Create(); // the program has it
        string[] before = FilesOf(rig);

        IReadOnlyList<Finding> findings = await AskAsync(rig);

        Assert.Equal(new Finding(FindingSeverity.Blocker, "cpu", "The target's processor lacks avx512f.", "Choose another target."), findings[0]);
        Assert.Contains(findings, finding => finding.Subject == "criu" && finding.Severity == FindingSeverity.Good);
        Assert.Contains(findings, finding => finding.Subject == "disk");
        Assert.Equal(before, FilesOf(rig));
        Assert.Equal(["source:describe", "target:check"], rig.Steps);
    }

    [Fact]
    [Trait("Spec", "MIG-170")]
    public async Task A_target_that_has_the_name_already_says_so_and_the_container_may_be_asked_about_again()
    {
        await using var rig = new MigrationRig();
        string bundle = rig.Target.Environment.State.Bundle(Name("web"));
        Directory.CreateDirectory(bundle);

        Assert.Contains("bundle of the name 'web'", (await AskAsync(rig))[0].Message, StringComparison.Ordinal);
        Directory.Delete(bundle);
        rig.Reconnect();

        Assert.DoesNotContain(await AskAsync(rig), finding => finding.Severity == FindingSeverity.Blocker);
    }

    [Theory]
    [InlineData(0.0, null)]
    [InlineData(4.0, null)]
    [InlineData(-4.9, null)]
    [InlineData(37.0, "37 s ahead of")]
    [InlineData(-37.0, "37 s behind")]
    [InlineData(-7300.0, "2 h behind")]
    [InlineData(31536000.0, "365 days ahead of")]
    [Trait("Spec", "MIG-185")]
    public async Task A_clock_that_differs_is_a_warning_and_nothing_more(double seconds, string? difference)
    {
        await using var rig = new MigrationRig(targetTime: new ShiftedClock(TimeSpan.FromSeconds(seconds)));
        rig.Target.Environment.State.Create(); // the program has it

        IReadOnlyList<Finding> findings = await AskAsync(rig);

        Finding clock = Assert.Single(findings, finding => finding.Subject == "clock");
        Assert.Equal(difference is null ? FindingSeverity.Good : FindingSeverity.Warning, clock.Severity);
        Assert.Contains(difference is null ? "no more than 5 s apart" : $"The target's clock is {difference} the source's", clock.Message, StringComparison.Ordinal);
        Assert.Equal(difference is null, clock.Remedy is null);
        Assert.DoesNotContain(findings, finding => finding.Severity == FindingSeverity.Blocker);
        rig.Reconnect();
        rig.Completed((await rig.RunAsync()).Sent);
    }

    [Fact]
    [Trait("Spec", "MIG-185")]
    public void A_source_that_does_not_tell_its_time_gives_no_finding() =>
        Assert.Empty(ClockCheck.FindingsOn(Proposals.Any, DateTimeOffset.UnixEpoch));

    [Fact]
    [Trait("Spec", "MIG-171")]
    public async Task What_is_no_question_is_not_answered()
    {
        await using var rig = new MigrationRig();
        await using ITunnelStream asking = await rig.Near.OpenStreamAsync(StreamPriority.Bulk);
        await asking.Output.WriteAsync(new byte[] { 2, 0, 0, 0, 0xFF, 0xFF });
        await asking.Output.CompleteAsync();

        MigrationException fault = await Assert.ThrowsAsync<MigrationException>(() => AnswerAsync(rig));

        Assert.Equal(MigrationFault.PeerBrokeProtocol, fault.Fault);
    }

    [Fact]
    [Trait("Spec", "MIG-04")]
    public async Task A_question_with_a_name_that_no_target_takes_is_not_asked()
    {
        await using var rig = new MigrationRig();
        ContainerDescription web = await rig.Source.Runtime.InspectAsync(MigrationRig.Container, null, default);

        Finding finding = Assert.Single(await new SourceRunner(rig.Source.Environment).AskAsync(rig.Near, web with { Name = "../web" }, default));

        Assert.Equal(FindingSeverity.Blocker, finding.Severity);
    }

    private static async Task<IReadOnlyList<Finding>> AskAsync(MigrationRig rig)
    {
        Task answering = AnswerAsync(rig);
        IReadOnlyList<Finding> findings = await new SourceRunner(rig.Source.Environment).AskAsync(
            rig.Near, await rig.Source.Runtime.InspectAsync(MigrationRig.Container, null, default), default);
        await answering;
        return findings;
    }

    private static async Task AnswerAsync(MigrationRig rig)
    {
        await using ITunnelStream stream = await rig.Far.AcceptStreamAsync();
        TargetQuestion question = await new TargetRunner(rig.Target.Environment).ReadQuestionAsync(stream, "one", default);
        await question.AnswerAsync(default);
    }

    /// <summary>A clock that goes right and is set wrong.</summary>
    private sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    private static string[] FilesOf(MigrationRig rig) =>
        [.. Directory.GetFileSystemEntries(Path.GetDirectoryName(rig.Target.Environment.State.Root)!, "*", SearchOption.AllDirectories).Order()];

    private static ContainerName Name(string text) => ContainerName.TryParse(text, out ContainerName name) ? name : default;
}
