using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>A run in which memory follows the container is broken at every step; afterwards one copy runs, with all that was dumped.</summary>
[Trait("Spec", "MIG-104")]
[Trait("Spec", "MIG-105")]
public sealed class PostCopyFaultTests
{
    private static readonly string[] s_notInThisMode = ["source:live"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Faults =>
        [.. from step in (string[])[.. FaultSteps.Source, .. FaultSteps.LateSource, .. FaultSteps.Target, .. FaultSteps.LateTarget]
            where !s_notInThisMode.Contains(step)
            from fault in (string[])["kill", "cut", "fail"]
            where fault == "kill" || step != "target:dispose"
            select (step, fault)];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Wherever_it_breaks_off_one_copy_runs_in_the_end_and_lacks_nothing(string step, string fault)
    {
        await using var rig = new MigrationRig { Copy = new CopyOptions { Mode = MigrationMode.PostCopy } };
        SimulatedContainer source = rig.SourceCopy!;
        string killed = fault == "kill" ? step.Split(':')[0] : "";
        Task strike = Plan(rig, step, fault);
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start();
        await strike.WaitAsync(TimeSpan.FromSeconds(60), Token);
        if (killed != "source")
            await sending.WaitAsync(TimeSpan.FromSeconds(60), Token);
        await rig.Near.CloseAsync(0, "it is over", Token);
        rig.AtStep = null;

        await SettleAsync(rig, killed == "target" ? Task.CompletedTask : receiving);

        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
        Assert.Empty(rig.World.CopiesIn(CopyState.Frozen));
        Assert.Empty(rig.World.CopiesIn(CopyState.Held));
        SimulatedContainer last = Assert.Single(rig.World.CopiesIn(CopyState.Running));
        Assert.False(last.LacksMemory);
        Assert.Equal(source.Memory, last.Memory);
    }

    private static Task Plan(MigrationRig rig, string step, string fault)
    {
        int times = 0;
        var struck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = at =>
        {
            if (at != step || Interlocked.Increment(ref times) > 1)
                return Task.CompletedTask;
            if (fault == "kill")
                rig.Crash(step.Split(':')[0]);
            else if (fault == "cut")
                rig.Near.Cut();
            struck.SetResult();
            return fault switch
            {
                "kill" => throw new OperationCanceledException("killed"),
                "fail" => throw new ContainerException("The simulated world failed here."),
                _ => Task.CompletedTask,
            };
        };
        return struck.Task;
    }

    /// <summary>Both programs are started again, the source asks; that is repeated until nothing is left, or only what a person has to say.</summary>
    private static async Task SettleAsync(MigrationRig rig, Task receiving)
    {
        for (int round = 0; round < 20 && (rig.Leftovers().Any() || !receiving.IsCompleted); round++)
        {
            RecoveredJob[] found = [.. await rig.Target.Recovery.RecoverTargetAsync(Token), .. await rig.Source.Recovery.RecoverSourceAsync(cancellationToken: Token)];
            Assert.DoesNotContain(found, job => job.Action == RecoveryAction.Failed);
            foreach (OpenDoubt doubt in new DoubtInquiry(rig.Source.Environment).FindAll())
                await AskAsync(rig, doubt);
            await Task.WhenAny(receiving, Task.Delay(round * 20, Token));
        }

        await receiving.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    private static async Task AskAsync(MigrationRig rig, OpenDoubt doubt)
    {
        try
        {
            await Encounter.AskAsync(rig, doubt.JobId);
        }
        catch (Exception notYet) when (notYet is TunnelException or MigrationException)
        {
            // it does not run there yet
        }
    }
}
