using P2PMigrate.Migration;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Containers that run at the target when the way to their memory breaks.</summary>
public sealed class BrokenGivingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [Trait("Spec", "MIG-104")]
    [Trait("Spec", "MIG-105")]
    public async Task What_was_left_follows_when_the_two_meet_again()
    {
        await using BrokenGiving broken = await BrokenGiving.RunAsync("128");
        Assert.Equal((true, ContainerSide.Target), (broken.Failed.IsInDoubt, broken.Failed.RunningAt));
        Assert.Equal(("running", "paused"), (await Workload.StatusAsync(broken.Moved), await Workload.StatusAsync(broken.Workload.Name)));

        RecoveredJob heard = (await broken.AskAsync())!;

        Assert.Equal((RecoveryAction.Destroyed, ContainerSide.Target), (heard.Action, heard.RunningAt));
        Assert.Equal(ReceiveEnd.Completed, (await broken.EndAsync()).End);
        await HomeMigration.AssertMemoryIsRightAsync(broken.Workload);
    }

    /// <summary>What has come is not sent again.</summary>
    [InsideFact]
    [Trait("Spec", "MIG-103")]
    public async Task What_has_followed_before_the_way_broke_does_not_follow_again()
    {
        await using BrokenGiving broken = await BrokenGiving.RunAsync("128", pages: 8000, rate: "100");
        Assert.InRange(broken.Following.Count, 8000, 20_000);

        Assert.Equal(RecoveryAction.Destroyed, (await broken.AskAsync())!.Action);

        TestContext.Current.TestOutputHelper?.WriteLine($"{broken.Following.LackedAtFirst} pages lacked, {broken.Following.Count} followed");
        Assert.InRange(broken.Following.Count, broken.Following.LackedAtFirst - 4000, broken.Following.LackedAtFirst + 16); // less what was asked for, and more by what was in a writer's hand
        await broken.EndAsync();
        await HomeMigration.AssertMemoryIsRightAsync(broken.Workload);
    }

    [InsideFact]
    [Trait("Spec", "MIG-104")]
    public async Task A_container_that_was_lost_at_the_target_goes_on_at_the_source()
    {
        await using BrokenGiving broken = await BrokenGiving.RunAsync("64");
        await broken.LoseTargetAsync();
        ReceiveOutcome end = await broken.EndAsync();
        Assert.Contains($"p2pmigrate resolve {broken.Failed.JobId} --keep source", end.Reason, StringComparison.Ordinal);
        RecoveredJob again = await new JobRecovery(broken.Target).ResumeAsync(broken.Failed.JobId, Token);
        Assert.Equal(RecoveryAction.Failed, again.Action); // it is not forgotten for being looked at again
        Assert.Equal("paused", await Workload.StatusAsync(broken.Workload.Name));

        Assert.Equal(RecoveryAction.CleanedUp, (await new JobRecovery(broken.Target).ResolveAsync(broken.Failed.JobId, ContainerSide.Source, Token)).Action);
        Assert.Equal("gone", await Workload.StatusAsync(broken.Moved));
        RecoveredJob heard = (await broken.AskAsync())!;

        Assert.Equal((RecoveryAction.Thawed, ContainerSide.Source), (heard.Action, heard.RunningAt));
        await broken.AssertBackAsync();
    }

    [InsideFact]
    [Trait("Spec", "MIG-104")]
    public async Task A_person_can_say_that_the_target_is_lost_for_good_and_nothing_less()
    {
        await using BrokenGiving broken = await BrokenGiving.RunAsync("64");
        await broken.LoseTargetAsync();
        await broken.EndAsync();
        var recovery = new JobRecovery(broken.Source);
        foreach (ContainerSide keep in (ContainerSide[])[ContainerSide.Source, ContainerSide.Target])
        {
            var refused = await Assert.ThrowsAsync<MigrationException>(() => recovery.ResolveAsync(broken.Failed.JobId, keep, Token));
            Assert.Contains("--target-is-lost", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("paused", await Workload.StatusAsync(broken.Workload.Name));

        RecoveredJob back = await recovery.ResolveAsync(broken.Failed.JobId, ContainerSide.Source, LostForGood.Target, Token);

        Assert.Equal((RecoveryAction.Thawed, ContainerSide.Source), (back.Action, back.RunningAt));
        await broken.AssertBackAsync();
    }
}
