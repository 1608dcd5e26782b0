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
        LazyCounts counts = LateRestore.HandoverOf(move).Ended!;
        TestContext.Current.TestOutputHelper?.WriteLine(counts.ToString());
        Assert.InRange(counts.Given, 96 << 8, 200 << 8);
        Assert.Equal(0, counts.Nowhere);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory, LateGiving.Variable));
    }

    /// <summary>Nobody gives pages for a while, and then one who was not there when the restore was made.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-41")]
    [Trait("Spec", "MEM-43")]
    public async Task Who_gives_pages_may_be_killed_at_any_time()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "256", "400");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await LateRestore.RunAsync(move, runtime);
        Task killing = LateRestore.KillAsync(move, times: 3, after: TimeSpan.FromMilliseconds(20));
        Task complete = runtime.CompleteAsync(move.Request, Token);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        await killing;
        await complete;
        LazyCounts counts = LateRestore.HandoverOf(move).Ended!;
        TestContext.Current.TestOutputHelper?.WriteLine(counts.ToString());
        Assert.NotEqual(0, counts.There);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory, LateGiving.Variable));
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
        TestContext.Current.TestOutputHelper?.WriteLine($"{answer}; {LateRestore.HandoverOf(move).Ended}");
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
        TestContext.Current.TestOutputHelper?.WriteLine($"{answer}; {LateRestore.HandoverOf(move).Ended}");
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
    }

    [InsideFact]
    [Trait("Spec", "MEM-40")]
    public async Task A_restore_that_is_called_off_leaves_nobody_who_gives_pages()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await using (IHeldContainer held = await runtime.RestoreAsync(move.Request, Token))
        {
            Assert.NotEmpty(Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory, LateGiving.Variable));
            await held.AbortAsync(Token);
        }

        await move.AssertNothingLeftAsync();
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory, LateGiving.Variable));
        await fence.ThawAsync(Token);
    }
}
