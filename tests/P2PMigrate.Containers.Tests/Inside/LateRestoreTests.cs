using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Containers that run before all of their memory is there.</summary>
public sealed class LateRestoreTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [Trait("Spec", "MEM-40")]
    [Trait("Spec", "MEM-42")]
    public async Task Memory_that_comes_late_is_what_was_dumped()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "128", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        await runtime.CompleteAsync(move.Request, Token);
        LazyCounts counts = LateRestore.CountsOf(move);
        Assert.InRange(counts.Given, 96 << 8, 200 << 8);
        Assert.Equal((0, 0), (counts.Nowhere, counts.There));
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        LateRestore.AssertOver(move);
    }

    /// <summary>Nobody gives pages for a while, and then one who was not there when the restore was made.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-41")]
    [Trait("Spec", "MEM-43")]
    public async Task Who_gives_pages_may_be_killed_at_any_time()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "512", "400");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: () => LateRestore.StopGivingAsync(move));
        Task killing = LateRestore.KillOnTheWayAsync(move, times: 3, after: TimeSpan.FromMilliseconds(20));
        Task complete = runtime.CompleteAsync(move.Request, Token);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        await killing;
        await complete;
        LazyCounts counts = LateRestore.CountsOf(move);
        Assert.NotEqual(0, counts.There);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        LateRestore.AssertOver(move);
    }

    [InsideFact]
    [Trait("Spec", "MEM-41")]
    public async Task Who_gives_pages_may_be_killed_before_anything_runs()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "400");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: () => LateRestore.KillAsync(move, times: 1, after: TimeSpan.FromMilliseconds(200)));
        await Task.Delay(300, Token); // it waits for its pages
        await runtime.CompleteAsync(move.Request, Token);
        LateRestore.CountsOf(move);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
    }

    [InsideFact]
    [Trait("Spec", "MEM-42")]
    [Trait("Spec", "MEM-43")]
    [Trait("Spec", "MEM-45")]
    public async Task Memory_may_be_forked_moved_and_given_up_while_it_comes()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("changing.py", "300");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: () => Shell.RunAsync($"touch {move.Request.RootPath}/check"));
        string answer = await LateRestore.CheckAsync(move);
        await runtime.CompleteAsync(move.Request, Token);
        LateRestore.CountsOf(move);
        Assert.Equal("0 wrong, children 0 [0] 0", answer.Trim());
    }

    [InsideFact]
    [Trait("Spec", "MEM-43")]
    public async Task Who_takes_over_knows_what_was_forked_moved_and_given_up()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("changing.py", "300");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: () => Shell.RunAsync($"touch {move.Request.RootPath}/check"));
        Task killing = LateRestore.KillAsync(move, times: 4, after: TimeSpan.FromMilliseconds(12));
        Task complete = runtime.CompleteAsync(move.Request, Token);
        string answer = await LateRestore.CheckAsync(move);
        await killing;
        await complete;
        LateRestore.CountsOf(move);
        Assert.Equal("0 wrong, children 0 [0] 0", answer.Trim());
    }

    [InsideFact]
    [Trait("Spec", "MEM-44")]
    public async Task Where_nobody_gives_pages_all_memory_is_restored_first()
    {
        var runtime = new RuncRuntime(new RuncOptions { PageProgram = ["false"] }, NullLogger.Instance);
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        await runtime.CompleteAsync(move.Request, Token);
        Assert.DoesNotContain("Lazy restore skips", await File.ReadAllTextAsync($"{move.Request.WorkDirectory}/restore.log", Token));
        LateRestore.AssertOver(move);
    }

    [InsideFact]
    [Trait("Spec", "MEM-40")]
    public async Task A_restore_that_is_called_off_leaves_nobody_who_gives_pages()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await LateRestore.FreezeAndCopyAsync(move);
        await using (IHeldContainer held = await runtime.RestoreAsync(move.Request, Token))
        {
            Assert.NotEmpty(LateRestore.ProcessesOf(move).Processes.All);
            await held.AbortAsync(Token);
        }

        await move.AssertNothingLeftAsync();
        LateRestore.AssertOver(move);
        await fence.ThawAsync(Token);
    }

    [InsideFact]
    [Trait("Spec", "MEM-41")]
    [Trait("Spec", "MEM-44")]
    public async Task Where_pages_are_lost_before_it_runs_all_memory_is_restored_first()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: () => LateRestore.KillAllAsync(move));
        await runtime.CompleteAsync(move.Request, Token);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        LateRestore.AssertOver(move);
    }

    /// <summary>Its memory would be older than its files.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-44")]
    [Trait("Spec", "MIG-59")]
    public async Task What_may_have_run_is_not_restored_again()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await LateRestore.FreezeAndCopyAsync(move);
        await using IHeldContainer held = await runtime.RestoreAsync(move.Request, Token);
        await LettingGoTests.AtPreResumeAsync(move, "kill -9 $PPID; sleep 2");

        Assert.Contains("may have run for a moment", (await Assert.ThrowsAsync<ContainerException>(() => held.ReleaseAsync(Token))).Message, StringComparison.Ordinal);

        await move.AssertNothingLeftAsync();
        LateRestore.AssertOver(move);
        await fence.ThawAsync(Token);
    }

    /// <summary>It would read zeros.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-41")]
    public async Task A_container_whose_pages_are_lost_stands_still()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "512", "-1");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: () => LateRestore.StopGivingAsync(move));
        Assert.NotNull(LateRestore.HandoverOf(move));
        await LateRestore.KillAllAsync(move);

        ContainerException lost = await Assert.ThrowsAsync<ContainerException>(() => runtime.CompleteAsync(move.Request, Token));

        Assert.Contains($"stands still here. End it (runc kill {move.Request.Container.Name} KILL), and start it anew.", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ContainerException>(() => runtime.CompleteAsync(move.Request, Token)); // as does whoever comes later
        Assert.Contains("paused", await Shell.RunAsync("runc list"), StringComparison.Ordinal);
        await Shell.RunAsync($"runc kill {move.Request.Container.Name} KILL; until runc delete {move.Request.Container.Name} 2>/dev/null; do sleep 0.05; done");
        ContainerException over = await Assert.ThrowsAsync<ContainerException>(() => runtime.CompleteAsync(move.Request, Token));
        Assert.Contains("It has ended here. Start it anew", over.Message, StringComparison.Ordinal);
        await runtime.CompleteAsync(move.Request, Token); // said once
        LateRestore.AssertOver(move);
    }

    /// <summary>A service that is stopped takes all in its cgroup with it, and a terminal that is closed all of its session.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-40")]
    [Trait("Spec", "MEM-47")]
    public async Task Who_gives_pages_is_in_a_place_apart_and_its_container_keeps_its_own_huge_pages()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime, whileHeld: async () =>
        {
            (LateProcesses processes, string place) = LateRestore.ProcessesOf(move);
            Assert.Equal(processes.All.Select(process => process.Pid).Order(), new Containers.Linux.Cgroup(place).Pids().Order());
            Assert.Single(processes.Keepers);
            Assert.Equal(2, processes.All.Count);
            foreach (Containers.Processes.ProcessIdentity process in processes.All) await Shell.RunAsync($"kill -TERM {process.Pid}; kill -HUP {process.Pid}");
        });
        await runtime.CompleteAsync(move.Request, Token);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        int init = int.Parse(await Shell.RunAsync($"runc state {move.Request.Container.Name} | sed -n 's/.*\"pid\": \\([0-9]*\\).*/\\1/p'"), System.Globalization.CultureInfo.InvariantCulture);
        foreach (string process in new[] { "self", init.ToString(System.Globalization.CultureInfo.InvariantCulture) })
            Assert.Contains("THP_enabled:\t1", await File.ReadAllTextAsync($"/proc/{process}/status", Token), StringComparison.Ordinal);
    }
}
