using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>Something fails by itself, once, at every step of either side.</summary>
public sealed class FailureTests
{
    private const string Reason = "The simulated world failed here.";

    [Fact]
    public async Task The_steps_are_those_of_a_good_run()
    {
        await using var rig = new MigrationRig();
        rig.Completed((await rig.RunAsync()).Sent);
        Assert.Equal(FaultSteps.Source.Concat(FaultSteps.Target).Order(), rig.Steps.Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(FaultSteps.All), MemberType = typeof(FaultSteps))]
    [Trait("Spec", "MIG-12")]
    public async Task A_failure_at_any_step_ends_with_one_running_copy_and_a_true_word_about_it(string fault)
    {
        await using var rig = new MigrationRig();
        int failures = 0;
        rig.AtStep = step => step == fault && Interlocked.Increment(ref failures) == 1 ? throw new ContainerException(Reason) : Task.CompletedTask;

        (MigrationOutcome sent, _) = await rig.RunAsync();

        Assert.Equal(1, Math.Min(1, failures));
        Aftermath.AssertTrue(rig, sent);
        if (sent is MigrationFailed failed)
            Assert.Contains(Reason, failed.Reason, StringComparison.Ordinal);
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    [Fact]
    public async Task A_copy_that_cannot_be_destroyed_stays_frozen_and_is_mentioned()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step => step == "source:destroy" ? throw new ContainerException(Reason) : Task.CompletedTask;

        (MigrationOutcome sent, _) = await rig.RunAsync();

        Assert.Equal(Reason, rig.Completed(sent).Warning);
        Assert.Equal(CopyState.Frozen, rig.SourceCopy!.State);
        rig.AtStep = null;
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    public async Task A_copy_that_cannot_be_thawed_is_left_in_doubt_with_the_command_that_thaws_it()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step => step is "source:thaw" or "source:dumped" ? throw new ContainerException(Reason) : Task.CompletedTask;

        (MigrationOutcome sent, _) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.True(failed.IsInDoubt);
        Assert.Contains($"p2pmigrate resolve {failed.JobId} --keep source", failed.Reason, StringComparison.Ordinal);
        rig.AtStep = null;
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-14")]
    public async Task A_container_that_ends_while_it_is_frozen_is_no_doubt_and_the_word_says_what_starts_it()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step =>
        {
            if (step != "source:dumped")
                return Task.CompletedTask;
            rig.SourceCopy!.Become(CopyState.Gone);
            throw new ContainerException(Reason);
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Equal((true, false, ContainerSide.None), (failed.HasContainerEnded, failed.IsInDoubt, failed.RunningAt));
        Assert.StartsWith(Reason, failed.Reason, StringComparison.Ordinal);
        Assert.Contains("To start it anew, type: ", failed.Reason, StringComparison.Ordinal);
        Assert.Empty(rig.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.Leftovers());
    }
}
