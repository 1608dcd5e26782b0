using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>One program is killed at every step and journal record of its own; the other lives on, then the killed one is started again.</summary>
public sealed class CrashTests
{
    public static TheoryData<string> SourceSteps => [.. FaultSteps.Source];

    public static TheoryData<string> TargetSteps => [.. FaultSteps.Target];

    [Theory]
    [MemberData(nameof(SourceSteps))]
    [Trait("Spec", "MIG-54")]
    public async Task A_source_that_is_killed_anywhere_knows_afterwards_what_to_do(string fault)
    {
        await using var rig = new MigrationRig();
        Task crash = Plan(rig, fault);

        (_, Task<ReceiveOutcome> receiving) = rig.Start();
        await crash.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        await receiving.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);

        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    [Theory]
    [MemberData(nameof(TargetSteps))]
    [Trait("Spec", "MIG-55")]
    public async Task A_target_that_is_killed_anywhere_knows_afterwards_what_to_do(string fault)
    {
        await using var rig = new MigrationRig();
        Task crash = Plan(rig, fault);

        (Task<MigrationOutcome> sending, _) = rig.Start();
        await crash.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        MigrationOutcome sent = await sending.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);

        Aftermath.AssertTrue(rig, sent);
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-58")]
    public async Task A_copy_that_was_never_let_run_cannot_be_kept()
    {
        await using var rig = new MigrationRig();
        Task crash = Plan(rig, "target:release");
        (Task<MigrationOutcome> sending, _) = rig.Start();
        await crash.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        await sending.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        Assert.Equal(CopyState.Held, rig.TargetCopy!.State);
        rig.Target.Runtime.HasForgotten = true;
        RecoveredJob doubt = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync(CancellationToken.None));

        ContainerException refusal = await Assert.ThrowsAsync<ContainerException>(
            () => rig.Target.Recovery.ResolveAsync(doubt.JobId, ContainerSide.Target, CancellationToken.None));

        Assert.Contains("--keep source", refusal.Message, StringComparison.Ordinal);
        await Aftermath.SettleAsync(rig);
    }

    private static Task Plan(MigrationRig rig, string fault)
    {
        int crashes = 0;
        var crashed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = step =>
        {
            if (step != fault || Interlocked.Increment(ref crashes) > 1)
                return Task.CompletedTask;
            rig.Crash(fault.Split(':')[0]);
            crashed.SetResult();
            throw new OperationCanceledException("killed");
        };
        return crashed.Task;
    }
}
