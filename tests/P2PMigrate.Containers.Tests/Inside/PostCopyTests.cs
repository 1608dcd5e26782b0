using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Containers that run before their memory has left the source.</summary>
public sealed class PostCopyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [Trait("Spec", "MEM-20")]
    [Trait("Spec", "MEM-22")]
    [Trait("Spec", "MEM-23")]
    public async Task What_a_container_touches_comes_at_once_and_the_rest_when_it_is_sent()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "128", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.RunAsync(move, runtime);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move)); // it has read all that it knows of
        Assert.NotInRange(copy.Wanted, 0, 500);
        Assert.NotNull(LateRestore.HandoverOf(move)); // but not all that it has
        await copy.DeliverAsync();
        await copy.CompleteAsync();
        LazyCounts counts = LateRestore.CountsOf(move);
        Assert.InRange(counts.Given, 96 << 8, 200 << 8);
        Assert.Equal((0, 0), (counts.Nowhere, counts.There));
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        LateRestore.AssertOver(move);
    }

    [InsideFact]
    [Trait("Spec", "MEM-22")]
    [Trait("Spec", "MEM-41")]
    public async Task Who_gives_pages_may_be_killed_while_they_arrive()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "256", "400");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.RunAsync(move, runtime);
        Task killing = LateRestore.KillAsync(move, times: 4, after: TimeSpan.FromMilliseconds(150));
        Task delivering = copy.DeliverAsync(TimeSpan.FromMilliseconds(5));
        Task complete = copy.CompleteAsync();
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        await killing;
        await delivering;
        await complete;
        LateRestore.CountsOf(move);
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        LateRestore.AssertOver(move);
    }

    /// <summary>What has arrived need not be sent again; what is wanted meanwhile is asked for again.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-22")]
    [Trait("Spec", "MEM-23")]
    public async Task Who_takes_pages_in_may_end_and_begin_again()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "128", "400");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.RunAsync(move, runtime);
        Task<string> checking = LateRestore.CheckAsync(move);
        for (int times = 0; times < 3; times++)
        {
            await Task.Delay(200, Token);
            await copy.ReopenAsync();
        }

        Assert.StartsWith("0 wrong", await checking);
        await copy.DeliverAsync();
        await copy.CompleteAsync();
        Assert.StartsWith("0 wrong", await LateRestore.CheckAsync(move));
        LateRestore.AssertOver(move);
    }

    [InsideFact]
    [Trait("Spec", "MEM-42")]
    [Trait("Spec", "MEM-43")]
    [Trait("Spec", "MEM-45")]
    public async Task Memory_may_be_forked_moved_and_given_up_while_it_arrives()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("changing.py", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.RunAsync(move, runtime, whileHeld: () => Shell.RunAsync($"touch {move.Request.RootPath}/check"));
        Task delivering = copy.DeliverAsync(TimeSpan.FromMilliseconds(4));
        string answer = await LateRestore.CheckAsync(move);
        await delivering;
        await copy.CompleteAsync();
        LateRestore.CountsOf(move);
        Assert.Equal("0 wrong, children 0 [0] 0", answer.Trim());
    }

    /// <summary>The kernel does not say that an address space has ended.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-23")]
    public async Task Children_that_have_ended_are_forgotten_though_nothing_arrives()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("forking.py", "64", "300");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.RunAsync(move, runtime);
        Assert.Equal(1, LateRestore.CountUserfaults(move));
        Assert.Equal("300 children", (await LateRestore.CheckAsync(move)).Trim()); // each had a descriptor, or its fork would not have returned
        long start = Environment.TickCount64;
        while (LateRestore.CountUserfaults(move) > 1 && Environment.TickCount64 - start < 30_000) await Task.Delay(100, Token);
        Assert.Equal(1, LateRestore.CountUserfaults(move)); // the restored process's
        await copy.DeliverAsync();
        await copy.CompleteAsync();
        LateRestore.AssertOver(move);
    }

    /// <summary>Those who fork wait a moment when too many children live; how many there were in all is no matter.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-43")]
    public async Task More_children_may_come_and_go_than_there_are_descriptors()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync(descriptorsMax: 300); // of which the test program takes half
        await using Workload workload = await Workload.RunningAsync("forking.py", "64", "1000");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.RunAsync(move, runtime);
        Containers.Processes.ProcessIdentity giver = LateRestore.HandoverOf(move)!.Giver;
        Assert.Equal("1000 children", (await LateRestore.CheckAsync(move)).Trim());
        Assert.Equal(giver, LateRestore.HandoverOf(move)!.Giver); // it was not replaced
        await copy.DeliverAsync();
        await copy.CompleteAsync();
        LateRestore.AssertOver(move);
    }

    [InsideFact]
    [Trait("Spec", "MEM-24")]
    public async Task What_cannot_be_restored_without_late_memory_is_not_restored_at_all()
    {
        var runtime = new RuncRuntime(new RuncOptions { PageProgram = ["false"] }, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.PrepareAsync(move, runtime);
        await Assert.ThrowsAsync<ContainerException>(() => runtime.RestoreAsync(move.Request, Token));
        await move.AssertNothingLeftAsync();
        LateRestore.AssertOver(move);
        await copy.ThawSourceAsync();
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
    }

    [InsideFact]
    [Trait("Spec", "MEM-21")]
    [Trait("Spec", "MIG-151")]
    public async Task Memory_of_a_source_that_ran_meanwhile_is_not_sent()
    {
        RuncRuntime runtime = await LateRestore.RuntimeAsync();
        await using Workload workload = await Workload.RunningAsync("pages.py", "64", "200");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using PostCopy copy = await PostCopy.PrepareAsync(move, runtime);
        await Shell.RunAsync($"runc resume {workload.Name}; runc pause {workload.Name}");
        Assert.Contains("thawed by somebody", (await Assert.ThrowsAsync<ContainerException>(() => copy.DeliverAsync())).Message, StringComparison.Ordinal);
    }

    [InsideFact]
    [Trait("Spec", "MIG-101")]
    [Trait("Spec", "MIG-102")]
    [Trait("Spec", "MIG-103")]
    public async Task A_whole_migration_leaves_memory_for_later_and_its_downtime_does_not_wait_for_it()
    {
        await using Workload workload = await Workload.RunningAsync("pages.py", "256", "400");
        MigrationCompleted completed = HomeMigration.Completed(
            await HomeMigration.RunAsync(workload, await LateRestore.RuntimeAsync(), new CopyOptions { Mode = MigrationMode.PostCopy }));
        Assert.InRange(completed.FrozenMemoryBytes, 1, 128 << 20); // a quarter of it is shared
        await HomeMigration.AssertMemoryIsRightAsync(workload);
    }

    /// <summary>Of a page that was there before the freeze only its name follows.</summary>
    [InsideFact]
    [Trait("Spec", "MIG-106")]
    public async Task Memory_may_go_ahead_of_what_follows()
    {
        await using Workload workload = await Workload.RunningAsync("pages.py", "256", "400");
        var rounds = new Rounds();
        MigrationCompleted completed = HomeMigration.Completed(
            await HomeMigration.RunAsync(workload, await LateRestore.RuntimeAsync(), new CopyOptions { Mode = MigrationMode.Hybrid }, rounds));
        Assert.InRange(rounds.Bytes, 200 << 20, long.MaxValue);
        Assert.InRange(completed.MemoryBytes, 200 << 20, long.MaxValue); // what followed is counted
        Assert.InRange(completed.BytesSent, 1, rounds.Bytes + (128 << 20)); // and was not sent twice
        await HomeMigration.AssertMemoryIsRightAsync(workload);
    }

    [InsideFact]
    [Trait("Spec", "MIG-101")]
    public async Task A_target_that_cannot_is_told_from_one_that_can_before_anything_is_stopped()
    {
        await using Workload workload = await Workload.RunningAsync("pages.py", "16", "400");
        var failed = Assert.IsType<MigrationFailed>(await HomeMigration.RunAsync(workload, Move.Runtime, new CopyOptions { Mode = MigrationMode.PostCopy }));
        Assert.Contains("before all of its memory is there", failed.Reason, StringComparison.Ordinal);
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
    }

    /// <summary>What went ahead of the freeze, before compression.</summary>
    private sealed class Rounds : IProgress<MigrationProgress>
    {
        public long Bytes { get; private set; }

        public void Report(MigrationProgress value) => Bytes += value is { Kind: ProgressKind.RoundEnded, RoundSummary: { } round } ? round.NewBytes : 0;
    }
}
