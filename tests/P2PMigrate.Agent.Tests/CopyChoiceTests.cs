using System.CommandLine;
using P2PMigrate.Agent.Commands;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Agent.Tests;

public sealed class CopyChoiceTests
{
    [Theory]
    [InlineData("", MigrationMode.Auto)]
    [InlineData("--mode pre-copy --downtime-target 1s", MigrationMode.PreCopy)]
    [InlineData("--mode stop-and-copy", MigrationMode.StopAndCopy)]
    [InlineData("--mode post-copy --max-rounds 3", MigrationMode.PostCopy)]
    [InlineData("--mode hybrid --downtime-target 100ms", MigrationMode.Hybrid)]
    public void A_mode_is_a_word(string typed, MigrationMode expected) => Assert.Equal(expected, Look(typed, (choice, parsed) => choice.Of(parsed)).Mode);

    [Theory]
    [InlineData("--mode postcopy", "there are auto, stop-and-copy, pre-copy, hybrid, post-copy")]
    [InlineData("--mode post-copy --downtime-target 1s", "leave out one of the two")]
    [InlineData("--mode post-copy --downtime-target 300ms", "leave out one of the two")]
    public void What_goes_with_no_mode_is_refused_with_what_to_type(string typed, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<UsageException>(() => Look(typed, (choice, parsed) => choice.Of(parsed))).Message, StringComparison.Ordinal);

    /// <summary>A container is made to depend on two machines only for somebody who wants something for it.</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData("--max-rounds 3", false)]
    [InlineData("--downtime-target 300ms", true)]
    [Trait("Spec", "MIG-106")]
    public void Memory_may_follow_where_a_downtime_was_named(string typed, bool mayFollow) => Assert.Equal(mayFollow, Look(typed, (choice, parsed) => choice.Of(parsed)).MayFollow);

    [Fact]
    public void A_stage_leaves_no_memory_for_later()
    {
        static bool Stage(CopyChoice choice, ParseResult parsed)
        {
            choice.RefuseStage(parsed);
            return true;
        }

        Assert.True(Look("--mode pre-copy", Stage));
        Assert.Contains("--mode hybrid needs both", Assert.Throws<UsageException>(() => Look("--mode hybrid", Stage)).Message, StringComparison.Ordinal);
        Assert.Contains("without -s", Assert.Throws<UsageException>(() => Look("--mode post-copy", Stage)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Spec", "MIG-101")]
    [InlineData("crun")]
    [InlineData("lxc")]
    [InlineData("podman")]
    [InlineData("criu")]
    public void Only_one_runtime_restores_a_container_before_its_memory_is_there(string runtime)
    {
        var late = new CopyOptions { Mode = MigrationMode.PostCopy };
        UsageException refused = Assert.Throws<UsageException>(() => CopyChoice.RefuseUnable(late, Container(runtime)));
        Assert.Contains($"'web' is one of {runtime}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("without --mode", refused.Message, StringComparison.Ordinal);
        CopyChoice.RefuseUnable(new CopyOptions(), Container(runtime));
        CopyChoice.RefuseUnable(late, Container("runc"));
    }

    private static ContainerDescription Container(string runtime) => new() { Name = "web", Runtime = runtime, BundlePath = "/b", RootPath = "/b/rootfs", Configuration = default };

    private static T Look<T>(string typed, Func<CopyChoice, ParseResult, T> what)
    {
        var choice = new CopyChoice();
        var command = new Command("migrate");
        foreach (Option option in choice.Options)
            command.Add(option);
        ParseResult parsed = command.Parse(typed);
        Assert.Empty(parsed.Errors);
        return what(choice, parsed);
    }
}
