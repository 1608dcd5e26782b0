namespace P2PMigrate.Migration.Tests.World;

/// <summary>What must be true after a run, whatever went wrong in it.</summary>
internal static class Aftermath
{
    /// <summary>An outcome, if there is one, tells the truth about where the container runs.</summary>
    public static void AssertTrue(MigrationRig rig, MigrationOutcome outcome)
    {
        (CopyState? source, CopyState? target) = (rig.SourceCopy?.State, rig.TargetCopy?.State);
        switch (outcome)
        {
            case MigrationCompleted completed:
                Assert.Equal(CopyState.Running, target);
                Assert.True(source is null || (source == CopyState.Frozen && completed.Warning is not null), $"the copy at the source is {source}");
                break;
            case MigrationFailed { IsInDoubt: true } failed:
                Assert.Equal(CopyState.Frozen, source);
                Assert.Equal(ContainerSide.None, failed.RunningAt);
                Assert.Contains($"resolve {failed.JobId}", failed.Reason, StringComparison.Ordinal);
                break;
            case MigrationFailed failed:
                Assert.Equal(ContainerSide.Source, failed.RunningAt);
                Assert.Equal(CopyState.Running, source);
                Assert.NotEqual(CopyState.Running, target);
                break;
        }
    }

    /// <summary>
    /// Both programs are started again; a person resolves what they cannot, knowing where the container runs. Then exactly one copy runs, and nothing is left of
    /// any job.
    /// </summary>
    public static async Task SettleAsync(MigrationRig rig)
    {
        bool runsAtTarget = rig.TargetCopy?.State == CopyState.Running;
        foreach (MigrationRig.Agent agent in new[] { rig.Source, rig.Target })
        {
            foreach (RecoveredJob job in (RecoveredJob[])[.. await agent.Recovery.RecoverTargetAsync(), .. await agent.Recovery.RecoverSourceAsync()])
            {
                Assert.NotEqual(RecoveryAction.Failed, job.Action);
                if (job.Action != RecoveryAction.InDoubt)
                    continue;
                Assert.Contains($"resolve {job.JobId} --keep", job.Message, StringComparison.Ordinal);
                await agent.Recovery.ResolveAsync(job.JobId, runsAtTarget ? ContainerSide.Target : ContainerSide.Source);
            }
        }

        Assert.Empty(rig.World.Violations);
        Assert.Single(rig.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.World.CopiesIn(CopyState.Frozen));
        Assert.Empty(rig.World.CopiesIn(CopyState.Held));
        Assert.Empty(rig.Leftovers());
    }

    /// <summary>If the container is still at the source, it can move now.</summary>
    public static async Task AssertCanMigrateAsync(MigrationRig rig)
    {
        if (rig.SourceCopy is null)
            return;
        rig.AtStep = null;
        rig.Reconnect();
        rig.Completed((await rig.RunAsync()).Sent);
        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
    }
}
