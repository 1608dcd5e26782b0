using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>What an earlier job left, found by the container's name, must not be taken for what comes now.</summary>
public sealed class UnfinishedJobTests
{
    [Fact]
    [Trait("Spec", "MIG-133")]
    public async Task Regression_a_copy_that_arrived_was_removed_in_the_name_of_an_earlier_job()
    {
        await using var rig = new MigrationRig();
        JobId earlier = Leave(rig.Target, JobRole.Target, (int)TargetState.Receiving, (int)TargetState.Restoring);

        (MigrationOutcome sent, _) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Equal((FailureKind.Preflight, ContainerSide.Source), (failed.Kind, failed.RunningAt));
        Assert.Contains(failed.Findings, finding => finding.Remedy?.Contains($"p2pmigrate resume {earlier}", StringComparison.Ordinal) == true);
        await rig.Target.Recovery.ResumeAsync(earlier, TestContext.Current.CancellationToken);
        await Aftermath.AssertCanMigrateAsync(rig);
        Assert.Empty(await rig.Target.Recovery.RecoverTargetAsync(TestContext.Current.CancellationToken));
        Assert.True(Directory.Exists(rig.TargetCopy!.Root));
    }

    [Theory]
    [InlineData(SourceState.Copying)]
    [InlineData(SourceState.Destroying)]
    [Trait("Spec", "MIG-133")]
    internal async Task Regression_the_files_of_a_container_that_came_back_were_taken_by_the_job_that_had_sent_it_away(SourceState last)
    {
        await using var rig = new MigrationRig();
        JobId earlier = Leave(rig.Target, JobRole.Source, (int)last);

        (MigrationOutcome sent, _) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Equal((FailureKind.Preflight, ContainerSide.Source), (failed.Kind, failed.RunningAt));
        Assert.Contains(failed.Findings, finding => finding.Remedy?.Contains($"p2pmigrate resume {earlier}", StringComparison.Ordinal) == true);
        RecoveredJob resumed = await rig.Target.Recovery.ResumeAsync(earlier, TestContext.Current.CancellationToken);
        if (last == SourceState.Copying)
        {
            Assert.Equal(ContainerSide.None, resumed.RunningAt);
            Assert.Contains($"does not run here, by simulated's word. Its files are here, in {rig.Target.Environment.State.Root}", resumed.Message, StringComparison.Ordinal);
        }

        await Aftermath.AssertCanMigrateAsync(rig);
        Assert.True(Directory.Exists(rig.TargetCopy!.Root));
    }

    [Fact]
    [Trait("Spec", "MIG-133")]
    public async Task A_job_that_is_finished_late_leaves_the_files_of_a_container_that_runs()
    {
        await using var rig = new MigrationRig();
        await Aftermath.AssertCanMigrateAsync(rig);
        JobId late = Leave(rig.Target, JobRole.Source, (int)SourceState.Destroying);

        await rig.Target.Recovery.ResumeAsync(late, TestContext.Current.CancellationToken);

        Assert.True(Directory.Exists(rig.TargetCopy!.Root));
    }

    [Fact]
    [Trait("Spec", "MIG-134")]
    public async Task A_container_does_not_go_on_while_the_job_that_brought_it_is_in_doubt()
    {
        await using var rig = new MigrationRig();
        JobId earlier = Leave(rig.Source, JobRole.Target, (int)TargetState.Receiving, (int)TargetState.Restoring, (int)TargetState.Releasing);

        (Task<MigrationOutcome> sending, _) = rig.Start();

        MigrationException refused = await Assert.ThrowsAsync<MigrationException>(() => sending);
        Assert.Equal((MigrationFault.InDoubt, earlier), (refused.Fault, refused.JobId));
        Assert.Contains($"p2pmigrate resolve {earlier} --keep target", refused.Message, StringComparison.Ordinal);
        await rig.Source.Recovery.ResolveAsync(earlier, ContainerSide.Target, TestContext.Current.CancellationToken);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-134")]
    public async Task Regression_a_container_went_on_while_the_job_that_brought_it_was_not_forgotten()
    {
        await using var rig = new MigrationRig();
        JobId earlier = Leave(rig.Source, JobRole.Target, (int)TargetState.Receiving, (int)TargetState.Restoring, (int)TargetState.Releasing, (int)TargetState.Confirming);

        MigrationException refused = await Assert.ThrowsAsync<MigrationException>(() => rig.Start().Sending);

        Assert.Equal((MigrationFault.AlreadyMigrating, earlier), (refused.Fault, refused.JobId));
        Assert.Contains($"p2pmigrate resume {earlier}", refused.Message, StringComparison.Ordinal);
        RecoveredJob forgotten = Assert.Single(await rig.Source.Recovery.RecoverSourceAsync(MigrationRig.Container, TestContext.Current.CancellationToken));
        Assert.Equal((earlier, RecoveryAction.Forgotten), (forgotten.JobId, forgotten.Action));
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    private static JobId Leave(MigrationRig.Agent agent, JobRole role, params int[] states)
    {
        StateDirectory directory = agent.Environment.State;
        directory.Create();
        var job = JobId.Create();
        Assert.True(ContainerName.TryParse(MigrationRig.Container, out ContainerName name));
        using JobJournal journal = JobJournal.Create(
            directory.Journal(job),
            new JournalHead(job, role, name, "simulated", directory.Bundle(name), directory.Rootfs(name), "one", DateTimeOffset.UnixEpoch));
        foreach (int state in states)
            journal.Append(state, DateTimeOffset.UnixEpoch);
        return job;
    }
}
