using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>Memory follows a container that runs, and that breaks off: its source asks until all of it is there.</summary>
public sealed class PostCopyDoubtTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Spec", "MIG-104")]
    [Trait("Spec", "MIG-105")]
    public async Task What_is_missing_follows_on_another_session_and_the_job_ends_well_at_both()
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        (MigrationFailed sent, Task<ReceiveOutcome> receiving) = await CutWhileGivingAsync(rig);
        Assert.True(sent.IsInDoubt, sent.Reason);
        Assert.Equal((CopyState.Frozen, CopyState.Running), (source.State, rig.TargetCopy!.State));
        Assert.True(rig.TargetCopy.LacksMemory);

        RecoveredJob heard = (await Encounter.AskAsync(rig, sent.JobId))!;

        Assert.Equal((RecoveryAction.Destroyed, ContainerSide.Target), (heard.Action, heard.RunningAt));
        Assert.Equal(ReceiveEnd.Completed, (await receiving.WaitAsync(TimeSpan.FromSeconds(30), Token)).End);
        AssertArrived(rig, source);
    }

    [Theory]
    [InlineData("source")]
    [InlineData("target")]
    [InlineData("both")]
    [Trait("Spec", "MIG-54")]
    [Trait("Spec", "MIG-55")]
    [Trait("Spec", "MIG-104")]
    [Trait("Spec", "MIG-105")]
    public async Task Programs_that_are_started_again_while_memory_follows_leave_the_copy_where_it_is_and_go_on(string restarted)
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        JobId job = await KillWhileGivingAsync(rig, restarted == "both" ? ["source", "target"] : [restarted]);
        if (restarted != "source")
        {
            RecoveredJob found = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync(Token));
            Assert.Equal((RecoveryAction.Awaits, ContainerSide.Target), (found.Action, found.RunningAt));
        }

        if (restarted != "target")
            Assert.Equal(RecoveryAction.InDoubt, Assert.Single(await rig.Source.Recovery.RecoverSourceAsync(cancellationToken: Token)).Action);
        Assert.Equal(CopyState.Frozen, source.State);
        Assert.Equal(job, Assert.Single(new DoubtInquiry(rig.Source.Environment).FindAll()).JobId);

        Task<RecoveredJob>? resuming = restarted == "source" ? null : rig.Target.Recovery.ResumeAsync(job, Token);
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, job))!.Action);

        if (resuming is not null)
            Assert.Equal(RecoveryAction.Forgotten, (await resuming.WaitAsync(TimeSpan.FromSeconds(30), Token)).Action);
        await WaitForNothingLeftAsync(rig);
        AssertArrived(rig, source);
    }

    [Fact]
    [Trait("Spec", "MIG-105")]
    [Trait("Spec", "MEM-22")]
    public async Task A_giving_that_breaks_off_again_and_again_is_begun_again()
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        (MigrationFailed sent, _) = await CutWhileGivingAsync(rig);
        int lacking = rig.TargetCopy!.Arrival!.Lacking;
        for (int times = 0; times < 3; times++)
        {
            int gave = 0;
            rig.AtStep = step =>
            {
                if (step != "target:late page" || Interlocked.Increment(ref gave) != 6 + (4 * times))
                    return Task.CompletedTask;
                rig.Near.Cut();
                return Task.Delay(50, Token); // what has come already is not taken in any more
            };
            await Assert.ThrowsAnyAsync<Exception>(() => Encounter.AskAsync(rig, sent.JobId));
            Assert.Equal(CopyState.Frozen, source.State);
            Assert.True(rig.TargetCopy.LacksMemory);
            Assert.True(rig.TargetCopy.Arrival.Lacking < lacking); // what came stays
            lacking = rig.TargetCopy.Arrival.Lacking;
        }

        rig.AtStep = null;
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, sent.JobId))!.Action);
        await WaitForNothingLeftAsync(rig);
        AssertArrived(rig, source);
    }

    /// <summary>The target had said that it runs, or not: the source may not have heard it.</summary>
    [Theory]
    [InlineData("source:give")]
    [InlineData("target:released")]
    [Trait("Spec", "MIG-104")]
    public async Task Nobodys_word_thaws_or_removes_the_copy_while_memory_is_left_in_it(string moment)
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        (MigrationFailed sent, _) = await CutWhileGivingAsync(rig, moment);
        foreach (ContainerSide keep in (ContainerSide[])[ContainerSide.Source, ContainerSide.Target])
        {
            MigrationException refusal = await Assert.ThrowsAsync<MigrationException>(() => rig.Source.Recovery.ResolveAsync(sent.JobId, keep, Token));
            Assert.Equal(MigrationFault.WrongState, refusal.Fault);
            Assert.Contains("holds memory that the target has not got", refusal.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<MigrationException>(() => rig.Source.Recovery.AbortAsync(sent.JobId, Token));
        Assert.Equal(RecoveryAction.InDoubt, (await rig.Source.Recovery.ResumeAsync(sent.JobId, Token)).Action);
        Assert.Equal(RecoveryAction.InDoubt, (await rig.Source.Recovery.HearAsync(sent.JobId, JobFate.InDoubt, Token))!.Action);
        Assert.Equal(RecoveryAction.InDoubt, (await rig.Source.Recovery.HearAsync(sent.JobId, JobFate.Unknown, Token))!.Action);
        Assert.Equal(CopyState.Frozen, source.State);

        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, sent.JobId))!.Action);
        await WaitForNothingLeftAsync(rig);
        AssertArrived(rig, source);
    }

    /// <summary>A word of which it depends whether the container gets what it waits for.</summary>
    [Fact]
    [Trait("Spec", "MIG-104")]
    public async Task A_person_at_the_target_cannot_have_a_container_forgotten_that_lacks_memory()
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        JobId job = await KillWhileGivingAsync(rig, ["target"]);

        await Assert.ThrowsAsync<ContainerException>(() => rig.Target.Recovery.ResolveAsync(job, ContainerSide.Source, Token)); // it runs
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<Exception>(() => rig.Target.Recovery.ResolveAsync(job, ContainerSide.Target, stop.Token));

        Assert.Equal(CopyState.Frozen, source.State);
        Assert.Equal(CopyState.Running, rig.TargetCopy!.State);
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, job))!.Action);
        Assert.Equal(RecoveryAction.Forgotten, Assert.Single(await rig.Target.Recovery.RecoverTargetAsync(Token)).Action);
        AssertArrived(rig, source);
    }

    [Fact]
    [Trait("Spec", "MIG-105")]
    public async Task Of_a_job_that_is_not_let_run_yet_nothing_is_taken_in()
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        var releasing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = step =>
        {
            if (step != "target:release")
                return Task.CompletedTask;
            rig.Near.Cut();
            releasing.TrySetResult();
            return goesOn.Task;
        };
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start();
        await releasing.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        var sent = Assert.IsType<MigrationFailed>(await sending.WaitAsync(TimeSpan.FromSeconds(30), Token));
        int lacking = rig.TargetCopy!.Arrival!.Lacking;

        await Assert.ThrowsAnyAsync<Exception>(() => Encounter.AskAsync(rig, sent.JobId)); // it is under way there

        Assert.Equal((CopyState.Frozen, CopyState.Held, lacking), (source.State, rig.TargetCopy.State, rig.TargetCopy.Arrival.Lacking));
        goesOn.SetResult();
        await WaitForAsync(() => rig.Steps.Contains("target:journal:Confirming"));
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, sent.JobId))!.Action);
        Assert.Equal(ReceiveEnd.Completed, (await receiving.WaitAsync(TimeSpan.FromSeconds(30), Token)).End);
        AssertArrived(rig, source);
    }

    [Fact]
    [Trait("Spec", "MIG-105")]
    [Trait("Spec", "MIG-190")]
    public async Task From_nobody_but_the_source_of_a_job_memory_is_taken_in()
    {
        await using var rig = NewRig();
        (MigrationFailed sent, _) = await CutWhileGivingAsync(rig);
        rig.Reconnect();

        Task taking = new TargetRunner(rig.Target.Environment).TakeLateAsync(rig.Far, sent.JobId, "another", Token);
        await using (ITunnelStream stream = await rig.Near.OpenStreamAsync(StreamPriority.Bulk, Token))
            await stream.Output.WriteAsync(new byte[1], Token);

        await taking.WaitAsync(TimeSpan.FromSeconds(5), Token); // as soon as something comes
        Assert.Contains("not taken in", (await rig.Near.Completion.WaitAsync(TimeSpan.FromSeconds(5), Token)).Reason, StringComparison.Ordinal);
        Assert.Equal(RecoveryAction.InDoubt, (await Encounter.AskAsync(rig, sent.JobId, peer: "another"))!.Action);
        Assert.Equal(CopyState.Frozen, rig.SourceCopy!.State);
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, sent.JobId))!.Action);
    }

    /// <summary>What is in the copy then is not what was dumped.</summary>
    [Fact]
    [Trait("Spec", "MEM-21")]
    public async Task A_copy_that_somebody_has_thawed_gives_nothing_more()
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        (MigrationFailed sent, _) = await CutWhileGivingAsync(rig);
        int lacking = rig.TargetCopy!.Arrival!.Lacking;
        source.Become(CopyState.Running);
        source.Become(CopyState.Frozen);

        RecoveredJob heard = (await Encounter.AskAsync(rig, sent.JobId))!;

        Assert.Equal(RecoveryAction.Failed, heard.Action);
        Assert.Contains("thawed by somebody", heard.Message, StringComparison.Ordinal);
        Assert.Equal((CopyState.Frozen, lacking), (source.State, rig.TargetCopy.Arrival.Lacking));
    }

    /// <summary>The target ended meanwhile: it had all, but its receipt was lost.</summary>
    [Fact]
    [Trait("Spec", "MIG-104")]
    [Trait("Spec", "MIG-191")]
    public async Task A_receipt_that_was_lost_is_made_up_for_by_the_targets_word()
    {
        await using var rig = NewRig();
        SimulatedContainer source = rig.SourceCopy!;
        (MigrationFailed sent, Task<ReceiveOutcome> receiving) = await CutWhileGivingAsync(rig, "target:late pages");
        Assert.Equal(ReceiveEnd.Completed, (await receiving.WaitAsync(TimeSpan.FromSeconds(30), Token)).End);
        Assert.Equal(CopyState.Frozen, source.State);

        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, sent.JobId))!.Action);

        AssertArrived(rig, source);
    }

    private static MigrationRig NewRig() => new() { Copy = new CopyOptions { Mode = MigrationMode.PostCopy } };

    /// <summary>The link is cut when a step comes for the fifth time, or the first that is no giving; the source is in doubt, both programs live.</summary>
    private static async Task<(MigrationFailed Sent, Task<ReceiveOutcome> Receiving)> CutWhileGivingAsync(MigrationRig rig, string moment = "source:give")
    {
        Task cut = PlanAt(rig, moment, moment == "source:give" ? 5 : 1, rig.Near.Cut);
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start();
        await cut.WaitAsync(TimeSpan.FromSeconds(30), Token);
        var sent = Assert.IsType<MigrationFailed>(await sending.WaitAsync(TimeSpan.FromSeconds(30), Token));
        if (moment != "source:give")
            await WaitForAsync(() => rig.Steps.Contains("target:journal:Confirming"));
        rig.AtStep = null;
        return (sent, receiving);
    }

    private static async Task<JobId> KillWhileGivingAsync(MigrationRig rig, string[] sides)
    {
        JobId job = default;
        Task killed = PlanAt(rig, "source:give", 5, () =>
        {
            job = UnfinishedJob.JournalsIn(rig.Source.Environment.State).Single().Job;
            Array.ForEach(sides, rig.Crash);
        });
        (Task<MigrationOutcome> sending, _) = rig.Start();
        await killed.WaitAsync(TimeSpan.FromSeconds(30), Token);
        if (!sides.Contains("source"))
            Assert.True(Assert.IsType<MigrationFailed>(await sending.WaitAsync(TimeSpan.FromSeconds(30), Token)).IsInDoubt);
        rig.AtStep = null;
        return job;
    }

    private static Task PlanAt(MigrationRig rig, string moment, int times, Action action)
    {
        int seen = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = step =>
        {
            if (step == moment && Interlocked.Increment(ref seen) == times)
            {
                action();
                done.SetResult();
            }

            return Task.CompletedTask;
        };
        return done.Task;
    }

    private static async Task WaitForAsync(Func<bool> isSo)
    {
        for (long start = Environment.TickCount64; !isSo(); await Task.Delay(5, Token))
            Assert.True(Environment.TickCount64 - start < 30_000, "it does not come");
    }

    private static Task WaitForNothingLeftAsync(MigrationRig rig) => WaitForAsync(() => !rig.Leftovers().Any());

    private static void AssertArrived(MigrationRig rig, SimulatedContainer source)
    {
        Assert.Equal((CopyState.Gone, CopyState.Running), (source.State, rig.TargetCopy!.State));
        Assert.Equal(source.Memory, rig.TargetCopy.Memory);
        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
    }
}
