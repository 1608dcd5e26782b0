using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>The container has arrived, and the source says nothing any more.</summary>
public sealed class ArrivalTests
{
    [Fact]
    [Trait("Spec", "MIG-152")]
    public async Task Arrival_is_told_when_nothing_of_the_job_is_left_and_the_container_is_free()
    {
        await using var rig = new MigrationRig();
        var told = new List<ReceiveOutcome>();
        Assert.True(ContainerName.TryParse(MigrationRig.Container, out ContainerName name));
        rig.Arrived = outcome =>
        {
            told.Add(outcome);
            Assert.Equal(CopyState.Running, rig.TargetCopy?.State);
            Assert.Empty(rig.Target.Leftovers());
            FileLock.TryTake(rig.Target.Environment.State.Lock(name))!.Dispose();
        };

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync();

        rig.Completed(sent);
        Assert.Equal([received], told);
        Assert.Equal((ReceiveEnd.Completed, MigrationRig.Container), (received.End, received.Container));
    }
}
