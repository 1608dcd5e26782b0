using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>The link breaks for good at every step of either side; both programs live on.</summary>
public sealed class CutLinkTests
{
    [Theory]
    [MemberData(nameof(FaultSteps.All), MemberType = typeof(FaultSteps))]
    [Trait("Spec", "MIG-43")]
    public async Task A_cut_at_any_step_ends_with_one_running_copy_or_a_doubt_that_a_person_can_end(string fault)
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step =>
        {
            if (step == fault)
                rig.Near.Cut();
            return Task.CompletedTask;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();

        Aftermath.AssertTrue(rig, sent);
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }
}
