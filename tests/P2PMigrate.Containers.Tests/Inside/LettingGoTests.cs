using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Between the word to let a held copy go and its thaw.</summary>
public sealed class LettingGoTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As if our process had been killed when it had given the word.</summary>
    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-59")]
    public async Task A_copy_that_nobody_thawed_never_ran_and_one_that_somebody_else_has_thawed_is_left_to_a_person()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        await fence.DestroyAsync(Token);
        await Shell.RunAsync($"echo release > {move.Request.WorkDirectory}/release");
        Assert.True(await Containers.Processes.OwnedProcesses.WaitForEndAsync(move.Request.WorkDirectory, TimeSpan.FromSeconds(20), Token));
        Assert.Equal(0UL, move.TargetCount);
        Assert.Equal(RestoredState.NeverRan, await Move.Runtime.FindRestoredAsync(move.Request, Token));

        new Containers.Linux.Cgroup(RestoreRecord.Load(move.Request.WorkDirectory)!.CgroupPath!).Thaw();
        await RestoreTests.WaitForAsync(() => move.TargetCount > 0);

        Assert.Equal(RestoredState.Unknown, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        await Move.Runtime.KeepAsync(move.Request, Token);
        Assert.Equal(RestoredState.Runs, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        await held.DisposeAsync();
        Assert.Equal("running", await Workload.StatusAsync(move.Request.Container.Name));
    }

    /// <summary>In the last of CRIU's actions it has let go of the processes.</summary>
    [InsideFact]
    [EveryRuntime]
    public async Task A_copy_that_CRIU_has_let_go_of_does_not_run_before_it_is_thawed()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        string hook = $"{move.Request.WorkDirectory}/hook";
        await Shell.RunAsync($"sed -i '2i [ \"$CRTOOLS_SCRIPT_ACTION\" != post-resume ] || {{ sleep 0.5; kill -9 $PPID; }}' {hook}");

        await Assert.ThrowsAsync<ContainerException>(() => held.ReleaseAsync(Token));

        Assert.Equal(0UL, move.TargetCount);
        await move.AssertNothingLeftAsync();
        ulong count = workload.Count;
        await fence.ThawAsync(Token);
        await RestoreTests.WaitForAsync(() => workload.Count > count);
    }

    [InsideFact]
    [EveryRuntime]
    public async Task A_copy_whose_CRIU_is_killed_as_it_is_let_go_is_removed_and_not_taken_for_one_that_runs()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();

        var criu = Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory).Where(process => Containers.Processes.ProcessTable.Status(process.Pid, "Name") == "criu").ToList();
        Assert.NotEmpty(criu);
        criu.ForEach(process => process.Kill());
        await Assert.ThrowsAsync<ContainerException>(() => held.ReleaseAsync(Token));

        await move.AssertNothingLeftAsync();
        Assert.Equal(0UL, move.TargetCount);
        ContainerException refused = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.KeepAsync(move.Request, Token));
        Assert.Contains("never let run", refused.Message);
        ulong count = workload.Count;
        await fence.ThawAsync(Token);
        await RestoreTests.WaitForAsync(() => workload.Count > count);
    }

    /// <summary>Its tracer is gone before anything is frozen: the kernel lets it run.</summary>
    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-59")]
    public async Task A_copy_whose_CRIU_is_killed_before_it_is_frozen_is_ended_and_not_restored_again() =>
        await AssertEndedAsync("kill -9 $PPID; sleep 2");

    /// <summary>To the hook's shell somebody else is its parent then.</summary>
    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-59")]
    public async Task The_same_where_CRIU_is_killed_before_its_hook_has_begun() =>
        await AssertEndedAsync("[ -n \"$again\" ] || { kill -9 $PPID; again=1 exec sh $0; }");

    /// <summary>CRIU does not mind.</summary>
    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-59")]
    public async Task A_copy_whose_hook_is_killed_before_it_has_frozen_it_is_ended_and_not_restored_again() =>
        await AssertEndedAsync("kill -9 $$");

    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-59")]
    public async Task A_copy_of_which_nothing_says_that_it_was_frozen_is_ended() =>
        await AssertEndedAsync("mkdir ${0%/*}/frozen");

    /// <summary>CRIU goes on without it, and perhaps without its hook.</summary>
    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    [Trait("Spec", "MIG-59")]
    public async Task A_copy_whose_runtime_is_killed_as_it_is_let_go_is_removed()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        foreach (Containers.Processes.ProcessIdentity process in Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory))
        {
            if (Containers.Processes.ProcessTable.Status(process.Pid, "Name") is { } name && !name.Contains("criu", StringComparison.Ordinal) && name != "hook" && name != "sh") process.Kill();
        }

        await Assert.ThrowsAsync<ContainerException>(() => held.ReleaseAsync(Token));

        await move.AssertNothingLeftAsync();
        ulong count = workload.Count;
        await fence.ThawAsync(Token);
        await RestoreTests.WaitForAsync(() => workload.Count > count);
    }

    /// <summary>As if all of us had been killed when the word was given. Whether it runs yet, or has ended meanwhile, it may have run.</summary>
    [InsideFact]
    [EveryRuntime]
    [Trait("Spec", "MIG-58")]
    [Trait("Spec", "MIG-59")]
    public async Task A_copy_that_CRIU_let_go_of_unfrozen_while_nobody_watched_is_left_to_a_person_and_cannot_be_kept()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        await AtPreResumeAsync(move, "kill -9 $PPID; exit 1");
        await Shell.RunAsync($"echo release > {move.Request.WorkDirectory}/release");
        await RestoreTests.WaitForAsync(() => move.TargetCount > 0);

        Assert.Equal(RestoredState.Unknown, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        ContainerException refused = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.KeepAsync(move.Request, Token));
        Assert.Contains("keep the source", refused.Message, StringComparison.Ordinal);
        await new Containers.Linux.Cgroup(RestoreRecord.Load(move.Request.WorkDirectory)!.CgroupPath!).KillAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(RestoredState.Unknown, await Move.Runtime.FindRestoredAsync(move.Request, Token));

        await Move.Runtime.CleanUpAsync(move.Request, Token);
        await move.AssertNothingLeftAsync();
        Assert.Equal(RestoredState.NeverRan, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        await fence.ThawAsync(Token);
    }

    private static async Task AssertEndedAsync(string atPreResume)
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        await AtPreResumeAsync(move, atPreResume);

        ContainerException failed = await Assert.ThrowsAsync<ContainerException>(() => held.ReleaseAsync(Token));

        Assert.Contains("may have run for a moment", failed.Message, StringComparison.Ordinal);
        await move.AssertNothingLeftAsync();
        ulong count = workload.Count;
        await fence.ThawAsync(Token);
        await RestoreTests.WaitForAsync(() => workload.Count > count);
    }

    /// <summary>Has the hook of a container that is held do this first, when CRIU is about to let go of it.</summary>
    internal static async Task AtPreResumeAsync(Move move, string words)
    {
        await File.WriteAllTextAsync($"{move.Request.WorkDirectory}/first", words + "\n", Token);
        await Shell.RunAsync($"sed -i '2i [ \"$CRTOOLS_SCRIPT_ACTION\" != pre-resume ] || . {move.Request.WorkDirectory}/first' {move.Request.WorkDirectory}/hook");
    }
}
