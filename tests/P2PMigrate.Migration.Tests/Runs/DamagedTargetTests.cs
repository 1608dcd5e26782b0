using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>The journal of a target that was killed cannot be read: its directory says that it was the target, and whose files are here.</summary>
public sealed class DamagedTargetTests
{
    [Theory]
    [InlineData("target:journal:Receiving", false)]
    [InlineData("target:restore", false)]
    [InlineData("target:journal:Releasing", false)]
    [InlineData("target:journal:Confirming", true)]
    [Trait("Spec", "MIG-150")]
    public async Task A_persons_word_is_carried_out_as_a_targets(string killedAt, bool runs)
    {
        await using var rig = new MigrationRig();
        MigrationRig.Agent killed = await KillAsync(rig, killedAt);
        JobId job = Damage(killed);
        KnownJob listed = Assert.Single(JobList.Read(killed.Environment.State));
        bool isMarked = killedAt != "target:journal:Receiving"; // else nothing had been made yet
        Assert.Equal(isMarked ? (ContainerSide.Target, MigrationRig.Container) : (ContainerSide.None, ""), (listed.Role, listed.Container));
        if (!isMarked)
        {
            Assert.Equal(RecoveryAction.Forgotten, (await killed.Recovery.ResolveAsync(job, ContainerSide.Source)).Action);
            Assert.Empty(killed.Leftovers());
            return;
        }

        Assert.Empty(await killed.Recovery.RecoverSourceAsync(MigrationRig.Container));
        RecoveredJob found = Assert.Single(await killed.Recovery.RecoverTargetAsync());
        Assert.Equal(RecoveryAction.InDoubt, found.Action);
        Assert.Contains($"p2pmigrate resolve {job} --keep source, and then the same at the source", found.Message, StringComparison.Ordinal);

        await killed.Recovery.ResolveAsync(job, runs ? ContainerSide.Target : ContainerSide.Source);

        Assert.Equal(runs ? CopyState.Running : null, killed.Runtime.Machine.Find(MigrationRig.Container)?.State);
        Assert.Equal(runs, Directory.Exists(killed.Environment.State.Bundle(NameOf(MigrationRig.Container))));
        Assert.Empty(killed.Leftovers());
        Assert.Empty(rig.World.Violations);
    }

    [Fact]
    [Trait("Spec", "MIG-150")]
    public async Task Where_nothing_tells_the_side_a_persons_word_is_refused_and_nothing_touched()
    {
        await using var rig = new MigrationRig();
        MigrationRig.Agent killed = await KillAsync(rig, "target:restore");
        JobId job = Damage(killed);
        File.Delete(Path.Combine(killed.Environment.State.Job(job), "head"));
        string[] before = [.. killed.Leftovers()];

        foreach (ContainerSide side in new[] { ContainerSide.Source, ContainerSide.Target })
        {
            MigrationException refused = await Assert.ThrowsAsync<MigrationException>(() => killed.Recovery.ResolveAsync(job, side));
            Assert.Equal(MigrationFault.JournalDamaged, refused.Fault);
            Assert.Contains(killed.Environment.State.Job(job), refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, killed.Leftovers());
    }

    [Fact]
    [Trait("Spec", "MIG-133")]
    [Trait("Spec", "MIG-150")]
    public async Task A_container_is_not_taken_in_over_what_a_damaged_journal_may_be_about()
    {
        await using var rig = new MigrationRig();
        JobId job = Damage(await KillAsync(rig, "target:restore"));
        rig.Reconnect();

        (MigrationOutcome sent, _) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Contains(failed.Findings, finding => finding.Remedy?.Contains($"p2pmigrate resume {job}", StringComparison.Ordinal) == true);
    }

    private static ContainerName NameOf(string text) => ContainerName.TryParse(text, out ContainerName name) ? name : throw new ArgumentException(text);

    private static JobId Damage(MigrationRig.Agent agent)
    {
        string journal = Assert.Single(Directory.GetFiles(agent.Environment.State.Journals));
        File.WriteAllBytes(journal, new byte[100]);
        Assert.True(JobId.TryParse(Path.GetFileNameWithoutExtension(journal), out JobId job));
        return job;
    }

    private static async Task<MigrationRig.Agent> KillAsync(MigrationRig rig, string step)
    {
        int kills = 0;
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = at =>
        {
            if (at != step || Interlocked.Increment(ref kills) > 1)
                return Task.CompletedTask;
            rig.Crash("target");
            killed.SetResult();
            throw new OperationCanceledException("killed");
        };
        (Task<MigrationOutcome> sending, _) = rig.Start();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60)); // The source may have heard that it runs before.
        await sending.WaitAsync(TimeSpan.FromSeconds(60));
        rig.AtStep = null;
        return rig.Target;
    }
}
