using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>A container runs at the target and still needs something of the job.</summary>
[Trait("Spec", "MIG-100")]
public sealed class LateMemoryTests
{
    private const string Complete = "target:complete";

    [Fact]
    public async Task Nothing_of_the_job_goes_before_the_container_needs_it_no_more()
    {
        await using var rig = new MigrationRig();
        string[] during = [];
        rig.AtStep = step =>
        {
            if (step == Complete)
                during = [.. rig.Target.Leftovers()];
            return Task.CompletedTask;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();

        rig.Completed(sent);
        Assert.NotEmpty(during);
        Assert.Empty(rig.Target.Leftovers());
    }

    /// <summary>Also where the journal, as it was opened, says only that it was being released.</summary>
    [Theory]
    [InlineData(Complete)]
    [InlineData("target:journal:Confirming")]
    public async Task A_target_that_was_killed_meanwhile_waits_for_it_once_more(string moment)
    {
        await using var rig = new MigrationRig();
        int asked = 0;
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string[] during = [];
        rig.AtStep = step =>
        {
            if (step == Complete && Interlocked.Increment(ref asked) > 1)
                during = [.. rig.Target.Leftovers()];
            if (step != moment || killed.Task.IsCompleted)
                return Task.CompletedTask;
            rig.Crash("target");
            killed.SetResult();
            throw new OperationCanceledException("killed");
        };
        (Task<MigrationOutcome> sending, _) = rig.Start();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await sending.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        RecoveredJob found = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync(TestContext.Current.CancellationToken));

        Assert.Equal((RecoveryAction.Forgotten, 2), (found.Action, asked));
        Assert.NotEmpty(during);
        Assert.Equal(CopyState.Running, rig.Target.Runtime.Machine.Find(MigrationRig.Container)?.State);
    }

    [Fact]
    public async Task A_job_stays_when_it_can_no_longer_be_given()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step => step == Complete ? throw new ContainerException("No more pages can be given.") : Task.CompletedTask;
        (MigrationOutcome sent, _) = await rig.RunAsync();
        rig.Completed(sent);
        Assert.NotEmpty(rig.Target.Leftovers());

        RecoveredJob found = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync(TestContext.Current.CancellationToken));
        Assert.Equal(RecoveryAction.Failed, found.Action);
        Assert.Contains("No more pages", found.Message, StringComparison.Ordinal);
        Assert.NotEmpty(rig.Target.Leftovers());

        rig.AtStep = null;
        found = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync(TestContext.Current.CancellationToken));
        Assert.Equal(RecoveryAction.Forgotten, found.Action);
        Assert.Empty(rig.Target.Leftovers());
    }
}
