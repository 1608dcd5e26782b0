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
