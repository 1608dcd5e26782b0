using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

public sealed class GoodRunTests
{
    [Fact]
    public async Task A_container_moves_with_its_memory_and_its_files_and_leaves_nothing_behind()
    {
        await using var rig = new MigrationRig();
        long counter = 0;
        Manifest? frozen = null;
        rig.AtStep = step =>
        {
            if (step is "source:journal:Copying")
                rig.SourceCopy!.Live();
            if (step is "source:journal:Committed")
                (counter, frozen) = (rig.SourceCopy!.Counter, MigrationRig.ManifestOf(rig.SourceCopy.Root));
            return Task.CompletedTask;
        };

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync();

        var completed = rig.Completed(sent);
        Assert.Equal(ReceiveEnd.Completed, received.End);
        Assert.Null(rig.SourceCopy);
        Assert.Equal(CopyState.Running, rig.TargetCopy!.State);
        Assert.Equal(counter, rig.TargetCopy.Counter);
        Assert.Empty(Manifest.Compare(frozen!, MigrationRig.ManifestOf(rig.TargetCopy.Root)));
        Assert.True(File.Exists(Path.Combine(rig.Target.Environment.State.Containers, "web/config.json")));
        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
        Assert.Equal(PathKind.Direct, completed.Path);
        Assert.Equal(600 * 4096, completed.MemoryBytes);
        Assert.InRange(completed.RootfsBytes, 1_000_000, 1_100_000);
        Assert.InRange(completed.BytesSent, 700_000, 4_000_000);
        Assert.True(completed.Downtime > TimeSpan.Zero && completed.Downtime < completed.Total);
    }

    [Fact]
    public async Task A_file_that_was_replaced_by_another_of_its_name_moves_as_it_is()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step =>
        {
            if (step is not "source:freeze")
                return Task.CompletedTask;
            string noise = Path.Combine(rig.SourceCopy!.Root, "var/noise");
            File.WriteAllBytes(noise + ".new", File.ReadAllBytes(noise)[1..]);
            File.Move(noise + ".new", noise, overwrite: true);
            return Task.CompletedTask;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();

        rig.Completed(sent);
        Assert.Equal(699_999, new FileInfo(Path.Combine(rig.TargetCopy!.Root, "var/noise")).Length);
    }

    [Fact]
    [Trait("Spec", "MIG-70")]
    public async Task The_parts_of_the_downtime_add_up_to_it()
    {
        await using var rig = new MigrationRig();
        long asked = 0;
        rig.AtStep = step =>
        {
            if (step is "source:freeze")
                asked = System.Diagnostics.Stopwatch.GetTimestamp();
            return step is "source:freeze" or "target:restore" ? Task.Delay(20) : Task.CompletedTask;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();

        MigrationCompleted completed = rig.Completed(sent);
        Assert.Equal(completed.Downtime, completed.Breakdown.Sum);
        Assert.True(completed.Breakdown.Other >= TimeSpan.Zero, completed.Breakdown.ToString());
        Assert.True(completed.Breakdown.Restore >= TimeSpan.FromMilliseconds(15), completed.Breakdown.ToString());
        Assert.True(completed.Downtime < System.Diagnostics.Stopwatch.GetElapsedTime(asked) - TimeSpan.FromMilliseconds(15), "questions before the freeze are no downtime");
    }

    [Fact]
    public async Task Progress_tells_every_phase_once_and_in_order()
    {
        await using var rig = new MigrationRig();

        (MigrationOutcome sent, _) = await rig.RunAsync();

        rig.Completed(sent);
        MigrationPhase[] order =
        [
            MigrationPhase.Checking, MigrationPhase.Copying, MigrationPhase.Freezing, MigrationPhase.Dumping,
            MigrationPhase.Shipping, MigrationPhase.Restoring, MigrationPhase.Committing, MigrationPhase.Destroying,
        ];
        Assert.Equal(order, rig.Progress.Where(report => report.Kind == ProgressKind.Started).Select(report => report.Phase));
        Assert.Equal(order, rig.Progress.Where(report => report.Kind == ProgressKind.Finished).Select(report => report.Phase));
        Assert.Contains(rig.Progress, report => report is { Kind: ProgressKind.Advanced, Phase: MigrationPhase.Dumping, BytesDone: > 0, BytesTotal: > 0 });
    }

    [Fact]
    public async Task A_container_can_move_back_and_forth()
    {
        await using var rig = new MigrationRig();
        rig.Completed((await rig.RunAsync()).Sent);
        for (int trip = 0; trip < 3; trip++)
        {
            rig.TargetCopy!.Live();
            rig.Turn();

            (MigrationOutcome sent, _) = await rig.RunAsync();

            rig.Completed(sent);
            Assert.Empty(rig.Leftovers());
        }

        Assert.Empty(rig.World.Violations);
        Assert.Single(rig.World.CopiesIn(CopyState.Running));
    }

    [Fact]
    public async Task A_session_without_a_proposal_is_no_job()
    {
        await using var rig = new MigrationRig();
        var runner = new TargetRunner(rig.Target.Environment);
        Task<ReceiveOutcome> receiving = runner.ReceiveAsync(
            rig.Far, new ReceiveOptions { PeerName = "one", AdmitAsync = _ => ValueTask.FromResult<string?>("never asked") });

        await rig.Near.CloseAsync(0, "ping is done");

        Assert.Equal(ReceiveEnd.NothingProposed, (await receiving).End);
    }
}
