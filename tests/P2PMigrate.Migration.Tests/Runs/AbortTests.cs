using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>Somebody asks from outside that a job be aborted: at every step of either side, as another process would.</summary>
public sealed class AbortTests
{
    [Theory]
    [MemberData(nameof(FaultSteps.All), MemberType = typeof(FaultSteps))]
    [Trait("Spec", "MIG-131")]
    public async Task An_abort_at_any_step_undoes_the_job_or_says_that_it_is_too_late(string fault)
    {
        await using var rig = new MigrationRig();
        Task<RecoveredJob>? aborting = null;
        rig.AtStep = async step =>
        {
            if (step != fault || aborting is not null)
                return;
            MigrationRig.Agent agent = fault.StartsWith("source", StringComparison.Ordinal) ? rig.Source : rig.Target;
            KnownJob? job = JobList.Read(agent.Environment.State).SingleOrDefault();
            aborting = job is null ? Task.FromException<RecoveredJob>(Unknown()) : Task.Run(() => agent.Recovery.AbortAsync(job.JobId));
            await Task.WhenAny(aborting, Task.Delay(MigrationRig.Timers.AbortLook * 4));
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();
        RecoveredJob? aborted = await TryAsync(aborting!);

        Aftermath.AssertTrue(rig, sent);
        Assert.Equal(aborted is not null, sent is MigrationFailed);
        if (aborted is not null)
            Assert.Equal(ContainerSide.Source, aborted.RunningAt);
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-130")]
    public async Task Both_lists_tell_the_truth_at_every_record()
    {
        await using var rig = new MigrationRig();
        var told = new List<(string Step, KnownJob? Job)>();
        rig.AtStep = step =>
        {
            if (step.Contains(":journal:", StringComparison.Ordinal))
            {
                MigrationRig.Agent agent = step.StartsWith("source", StringComparison.Ordinal) ? rig.Source : rig.Target;
                lock (told)
                    told.Add((step, JobList.Read(agent.Environment.State).SingleOrDefault()));
            }

            return Task.CompletedTask;
        };

        rig.Completed((await rig.RunAsync()).Sent);

        Assert.All(told, entry =>
        {
            Assert.NotNull(entry.Job);
            Assert.Equal(Environment.ProcessId, entry.Job.ProcessId);
            Assert.Equal(entry.Step.Split(':')[2].ToLowerInvariant(), entry.Job.State);
            Assert.Equal(entry.Step.Split(':')[0], entry.Job.Role.ToString().ToLowerInvariant());
        });
        Assert.Equal(10, told.Count);
    }

    private static MigrationException Unknown() => new(MigrationFault.UnknownJob, "There is no job yet, or no more.");

    private static async Task<RecoveredJob?> TryAsync(Task<RecoveredJob> aborting)
    {
        try
        {
            return await aborting.WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (MigrationException)
        {
            return null;
        }
    }
}
