using P2PMigrate.Migration;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Whole migrations with rounds of memory, from this host to this host.</summary>
public sealed class PreCopyTests
{
    private const int Megabytes = 200;

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task Under_the_freeze_little_more_travels_than_what_was_rewritten_and_memory_is_right_afterwards()
    {
        const int pagesPerSecond = 2500;
        await using Workload workload = await StartAsync(pagesPerSecond);

        MigrationCompleted completed = Completed(await MigrateAsync(workload, new CopyOptions(), new Rounds()));

        Assert.InRange(completed.MemoryBytes, Megabytes << 20, 2L * Megabytes << 20);
        Assert.InRange(completed.FrozenMemoryBytes, 1, Megabytes << 20 >> 2);
        Assert.NotNull(completed.LastRound!.PredictedDowntime);
        await AssertMemoryIsRightAsync(workload);
    }

    [InsideFact]
    public async Task Memory_that_is_left_alone_does_not_travel_under_the_freeze()
    {
        await using Workload workload = await StartAsync(pagesPerSecond: 0);

        MigrationCompleted completed = Completed(await MigrateAsync(workload, new CopyOptions { Mode = MigrationMode.PreCopy }, new Rounds()));

        Assert.InRange(completed.FrozenMemoryBytes, 0, 4 << 20);
        await AssertMemoryIsRightAsync(workload);
    }

    [InsideFact]
    public async Task The_targets_pages_are_those_of_criu_s_own_dump_of_the_frozen_source_page_by_page()
    {
        await using Workload workload = await StartAsync(pagesPerSecond: 2500);
        Assert.InRange(await CompareAsync(workload), Megabytes * 256, 2 * Megabytes * 256);
    }

    [InsideFact]
    public async Task Memory_that_moves_vanishes_is_shared_or_forked_is_that_of_criu_s_own_dump_page_by_page()
    {
        await using Workload workload = await Workload.RunningAsync("moving.py", "1000");
        Assert.InRange(await CompareAsync(workload), 64 * 256, 1024 * 256);
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    [Trait("Spec", "MEM-60")]
    public async Task Memory_that_moves_vanishes_is_shared_or_forked_is_right_afterwards()
    {
        await using Workload workload = await Workload.RunningAsync("moving.py", "1000");
        Completed(await MigrateAsync(workload, new CopyOptions { DowntimeTarget = TimeSpan.Zero }, new Rounds()));
        await AssertMemoryIsRightAsync(workload);
    }

    [InsideFact]
    [Trait("Spec", "MEM-60")]
    public async Task What_was_kept_is_not_copied_under_the_freeze()
    {
        await using Workload workload = await StartAsync(pagesPerSecond: 0);
        long written = 0;
        MigrationOutcome outcome = await MigrateAsync(
            workload, new CopyOptions { Mode = MigrationMode.PreCopy }, new Rounds(),
            complete: images =>
            {
                written = Directory.EnumerateFiles(images, "pages-*.img").Sum(path => new FileInfo(path).Length);
                return Task.CompletedTask;
            });

        Completed(outcome);
        Assert.InRange(written, 0, 16 << 20);
        Assert.Empty(Directory.EnumerateFiles($"/data/state-{workload.Name}", "pages-*.img", SearchOption.AllDirectories));
        await AssertMemoryIsRightAsync(workload);
    }

    /// <summary>How many pages there are, when they are the same.</summary>
    private static async Task<int> CompareAsync(Workload workload)
    {
        string reference = Directory.CreateDirectory($"/data/reference-{workload.Name}").FullName;
        string received = $"/data/received-{workload.Name}";
        try
        {
            MigrationOutcome outcome = await MigrateAsync(
                workload, new CopyOptions { DowntimeTarget = TimeSpan.Zero }, new Rounds(),
                frozen: () => Shell.RunAsync(
                    $"runc checkpoint --leave-running --tcp-established --file-locks --manage-cgroups-mode ignore --image-path {reference} --work-path {reference} {workload.Name}"),
                complete: async images =>
                {
                    await Shell.RunAsync($"cp -a {images} {received}");
                    throw new ContainerException("seen enough");
                });

            var failed = Assert.IsType<MigrationFailed>(outcome);
            Assert.Contains("seen enough", failed.Reason, StringComparison.Ordinal);
            Assert.Equal(ContainerSide.Source, failed.RunningAt);
            var expected = new DumpedMemory(reference);
            Assert.Empty(expected.DifferencesTo(new DumpedMemory(received)));
            Assert.Equal("running", await Workload.StatusAsync(workload.Name));
            return expected.Count;
        }
        finally
        {
            await Shell.RunAsync($"rm -rf {reference} {received}");
        }
    }

    private static Task<Workload> StartAsync(int pagesPerSecond) => Workload.RunningAsync("pages.py", $"{Megabytes}", $"{pagesPerSecond}");

    private static Task<MigrationOutcome> MigrateAsync(
        Workload workload, CopyOptions copy, Rounds rounds, Func<Task>? frozen = null, Func<string, Task>? complete = null) =>
        HomeMigration.RunAsync(workload, Move.Runtime, copy, rounds, frozen, complete);

    private static MigrationCompleted Completed(MigrationOutcome outcome) => HomeMigration.Completed(outcome);

    private static Task AssertMemoryIsRightAsync(Workload workload) => HomeMigration.AssertMemoryIsRightAsync(workload);

    /// <summary>Shows each round in the test's output.</summary>
    private sealed class Rounds : IProgress<MigrationProgress>
    {
        public void Report(MigrationProgress value)
        {
            if (value.RoundSummary is { } summary) TestContext.Current.TestOutputHelper?.WriteLine(summary.ToString());
        }
    }
}
