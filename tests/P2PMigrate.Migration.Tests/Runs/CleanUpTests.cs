using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

public sealed class CleanUpTests
{
    [Fact]
    [Trait("Spec", "MIG-46")]
    public async Task A_target_whose_disk_is_full_removes_what_came_all_the_same()
    {
        await using var rig = new MigrationRig();
        rig.Target.Runtime.PagesCannotBeClosed = new IOException("No space left on device");
        rig.AtStep = step => step == "source:frozen" ? throw new ContainerException("It cannot be dumped.") : Task.CompletedTask;

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync();

        Assert.Equal(ContainerSide.Source, Assert.IsType<MigrationFailed>(sent).RunningAt);
        Assert.Equal(ReceiveEnd.Aborted, received.End);
        Assert.Empty(rig.Target.Leftovers());
        Assert.False(Directory.Exists(rig.Target.Environment.State.Root + "/containers/web"));
        await Aftermath.SettleAsync(rig);
    }
}
