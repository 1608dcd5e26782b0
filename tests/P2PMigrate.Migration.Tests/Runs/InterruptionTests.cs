using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>The user presses Ctrl-C at every step.</summary>
public sealed class InterruptionTests
{
    private static readonly string[] s_afterCommit = ["source:destroy", "source:destroyed", "source:journal:Destroying", "source:journal:Completed",
        "source:journal:Committed", "target:journal:Releasing", "target:release", "target:released", "target:complete", "target:journal:Confirming", "target:journal:Completed", "target:dispose"];

    [Theory]
    [MemberData(nameof(FaultSteps.All), MemberType = typeof(FaultSteps))]
    [Trait("Spec", "MIG-13")]
    public async Task An_interruption_rolls_back_before_the_commit_point_and_means_nothing_after_it(string at)
    {
        await using var rig = new MigrationRig();
        using var interrupt = new CancellationTokenSource();
        rig.AtStep = step =>
        {
            if (step == at)
                interrupt.Cancel();
            return Task.CompletedTask;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync(interrupt.Token);

        if (s_afterCommit.Contains(at))
            rig.Completed(sent);
        else if (sent is MigrationFailed failed)
            Assert.Equal(FailureKind.Interrupted, failed.Kind);
        Aftermath.AssertTrue(rig, sent);
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }
}
