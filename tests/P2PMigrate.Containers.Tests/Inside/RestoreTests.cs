using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Restore, hold, release, abort and clean-up at the target.</summary>
public sealed class RestoreTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [EveryRuntime]
    public async Task A_moved_container_goes_on_from_the_dumped_count_after_being_held()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        await move.CopyAsync();
        Assert.DoesNotContain(
            await Move.Runtime.CheckTargetAsync(move.Request.Container, await Move.Runtime.DescribeMachineAsync(Token), Token),
            finding => finding.Severity == FindingSeverity.Blocker);

        await using IHeldContainer held = await move.RestoreAsync();
        Assert.Equal(0UL, move.TargetCount);
        await Task.Delay(300, Token); // long enough for thousands of counts, if it ran
        Assert.Equal(0UL, move.TargetCount);
        Assert.Equal(frozenAt, workload.Count);

        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);
        Assert.Equal("running", await Workload.StatusAsync(move.Request.Container.Name));
        Assert.Equal("gone", await Workload.StatusAsync(workload.Name));
        await WaitForAsync(() => move.TargetCount > frozenAt + 5000);
        Assert.Equal(frozenAt, workload.Count);
        Assert.False(File.Exists($"{move.Request.RootPath}/broken"));
        await AssertLogHasNoGapAsync(move, frozenAt);
    }

    [InsideFact]
    [EveryRuntime]
    public async Task An_aborted_restore_leaves_nothing_and_the_source_goes_on()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        await move.CopyAsync();
        IHeldContainer held = await move.RestoreAsync();
        await held.AbortAsync(Token);
        await move.AssertNothingLeftAsync();
        Assert.Equal(0UL, move.TargetCount);
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);

        // and a second restore from the same images finds no obstacle
        await using (await move.RestoreAsync())
        {
            Assert.Equal("running", await Workload.StatusAsync(move.Request.Container.Name));
        }

        await move.AssertNothingLeftAsync();
    }

    [InsideFact]
    [EveryRuntime]
    public async Task A_release_that_cannot_be_written_down_leaves_nothing_held()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        Directory.CreateDirectory($"{move.Request.WorkDirectory}/restore.json.new");
        await Assert.ThrowsAnyAsync<SystemException>(() => held.ReleaseAsync(Token));
        await move.AssertNothingLeftAsync();
        Assert.Equal(0UL, move.TargetCount);
    }

    [InsideFact]
    [EveryRuntime]
    public async Task A_copy_is_kept_only_when_it_was_let_run()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Restore_and_hold), workload.Name);
        foreach (var process in Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory)) process.Kill();
        await driver.KillAsync();
        ContainerException refused = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.KeepAsync(move.Request, Token));
        Assert.Contains("never let run", refused.Message);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
        refused = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.KeepAsync(move.Request, Token));
        Assert.Contains("never let run", refused.Message);
        Assert.Equal(RestoredState.NeverRan, await Move.Runtime.FindRestoredAsync(move.Request, Token));

        string record = $"{move.Request.WorkDirectory}/restore.json";
        await using IHeldContainer held = await move.RestoreAsync();
        Assert.Equal(RestoredState.NeverRan, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        await Shell.RunAsync($"kill -9 {await workload.InitPidAsync()}; echo 0 > {workload.Cgroup}/cgroup.freeze || :");
        await held.ReleaseAsync(Token);
        Assert.Equal(RestoredState.Runs, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        string thawed = await File.ReadAllTextAsync(record, Token);
        var cgroup = new Containers.Linux.Cgroup(RestoreRecord.Load(move.Request.WorkDirectory)!.CgroupPath!);
        Assert.True(await cgroup.SetFrozenAsync(true, TimeSpan.FromSeconds(10), Token));
        Assert.Equal(RestoredState.Runs, await Move.Runtime.FindRestoredAsync(move.Request, Token)); // somebody has paused it

        await File.WriteAllTextAsync(record, thawed.Replace("\"Thawed\": true", "\"Thawed\": false"), Token); // as if our process had been killed just before it thawed it
        Assert.Equal(RestoredState.Unknown, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        await Move.Runtime.KeepAsync(move.Request, Token);
        Assert.Equal(RestoredState.Runs, await Move.Runtime.FindRestoredAsync(move.Request, Token));
        await Move.Runtime.KeepAsync(move.Request, Token);
        Assert.Equal("running", await Workload.StatusAsync(move.Request.Container.Name));
        ulong count = move.TargetCount;
        await WaitForAsync(() => move.TargetCount > count);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
        Assert.Equal("running", await Workload.StatusAsync(move.Request.Container.Name));
    }

    [InsideFact]
    [EveryRuntime]
    public async Task A_name_that_was_taken_after_the_preparation_is_left_alone()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await Move.Runtime.PrepareRestoreAsync(move.Request, Token);
        await using Workload other = await Workload.PrepareAsync(["sleep", "1000"]);
        await IGround.Current.StartAsync(move.Request.Container.Name, other.Name, "</dev/null >/dev/null 2>&1");

        ContainerException refused = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.RestoreAsync(move.Request, Token));
        Assert.Contains("exists here already", refused.Message);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
        Assert.Equal("running", await Workload.StatusAsync(move.Request.Container.Name));
        await fence.ThawAsync(Token);
    }

    [InsideFact]
    [EveryRuntime]
    public async Task When_the_holding_process_is_killed_nothing_runs_and_clean_up_finds_it_so()
    {
        await using Workload workload = await Workload.CountingAsync();
        using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Restore_and_hold), workload.Name);
        await driver.KillAsync();
        await Shell.RunAsync($"echo 0 > {workload.Cgroup}/cgroup.freeze");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
        await move.AssertNothingLeftAsync();
        Assert.Equal(0UL, move.TargetCount);
        await Move.Runtime.CleanUpAsync(move.Request, Token);
    }

    [InsideFact]
    [EveryRuntime]
    public async Task When_everything_of_ours_is_killed_at_once_nothing_runs_and_clean_up_removes_it()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Restore_and_hold), workload.Name);
        foreach (var process in Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory)) process.Kill();
        await driver.KillAsync();
        await Task.Delay(300, Token);
        Assert.Equal(0UL, move.TargetCount);

        await Move.Runtime.CleanUpAsync(move.Request, Token);
        await move.AssertNothingLeftAsync();
        Assert.Equal(0UL, move.TargetCount);
        Assert.True(File.Exists($"{move.Request.RootPath}/counter.py"), "the copied root file system must survive the clean-up");
    }

    [InsideFact]
    [EveryRuntime]
    public async Task A_restore_killed_at_any_moment_can_be_cleaned_up_and_done_again()
    {
        const int rounds = 6, longestMs = 600;
        int seed = Environment.TickCount;
        var random = new Random(seed);
        await using Workload workload = await Workload.CountingAsync(20);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        string files = await Shell.RunAsync($"cd {move.Request.RootPath}; find . | sort | md5sum");
        for (int round = 0; round < rounds; round++)
        {
            File.Delete($"{move.SourceDirectory}/{Drivers.ReachedFile}");
            using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Restore), workload.Name);
            int waitMs = random.Next(longestMs);
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}, round {round}: killed after {waitMs} ms");
            await Task.Delay(waitMs, Token);
            if (round % 2 == 0)
            {
                foreach (var process in Containers.Processes.OwnedProcesses.Find(move.Request.WorkDirectory)) process.Kill();
            }

            await driver.KillAsync();
            await Move.Runtime.CleanUpAsync(move.Request, Token);
            await move.AssertNothingLeftAsync();
            Assert.Equal(0UL, move.TargetCount);
            Assert.Equal(files, await Shell.RunAsync($"cd {move.Request.RootPath}; find . | sort | md5sum"));
        }

        await using IHeldContainer held = await move.RestoreAsync();
        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);
        await WaitForAsync(() => move.TargetCount > 0);
    }

    [InsideFact]
    [EveryRuntime]
    public async Task A_restore_that_cannot_succeed_says_why_and_leaves_nothing()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await File.AppendAllTextAsync($"{move.Request.RootPath}/log", "more\n", Token);

        IReadOnlyList<Finding> findings = await Move.Runtime.VerifyAsync(move.Request, Token);
        Assert.Contains("The file /log, which the container holds open, has", Assert.Single(findings, finding => finding.Severity == FindingSeverity.Blocker).Message);
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.RestoreAsync(move.Request, Token));
        Assert.Contains("log has", failure.Message);
        await move.AssertNothingLeftAsync();
    }

    [InsideFact]
    [EveryRuntime]
    public async Task Clean_up_never_touches_a_container_that_it_did_not_restore()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        RestoreRequest sameName = move.Request with { Container = move.Container };
        await Move.Runtime.CleanUpAsync(sameName, Token);
        await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.RestoreAsync(sameName, Token));
        await Move.Runtime.CleanUpAsync(sameName, Token);
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
        Assert.Contains(
            await Move.Runtime.CheckTargetAsync(move.Container, await Move.Runtime.DescribeMachineAsync(Token), Token),
            finding => finding is { Subject: "name", Severity: FindingSeverity.Blocker });
    }

    [InsideFact]
    [EveryRuntime]
    public async Task Deleted_files_and_removed_names_come_along()
    {
        await using Workload workload = await Workload.CountingAsync(8, ["ghost", "link"]);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await MoveToRunningAsync(move);
        Assert.False(File.Exists($"{move.Request.RootPath}/broken"));
        Assert.Empty(Directory.GetFiles(move.Container.RootPath, "link_remap*"));
        Assert.Empty(Directory.GetFiles(move.Request.RootPath, "link_remap*"));
        Assert.Equal("linked", await File.ReadAllTextAsync($"{move.Request.RootPath}/second-name", Token));
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task Loopback_is_up_in_a_network_namespace_that_the_restore_made()
    {
        await using Workload workload = await Workload.CountingAsync(8, ["udp"], configuration =>
        {
            foreach (string set in (string[])["bounding", "effective", "permitted"])
            {
                configuration["process"]!["capabilities"]![set]!.AsArray().Add("CAP_NET_ADMIN");
            }
        });
        await using Move move = await Move.PrepareAsync(workload.Name);
        await MoveToRunningAsync(move);
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task Standard_streams_that_are_pipes_become_pipes_again()
    {
        await using Workload workload = await Workload.PrepareAsync(["sh", "-c", "n=0; while :; do n=$((n+1)); echo $n; echo $n > /last; sleep 0.01; done"]);
        await workload.StartAsync("</dev/null 2>&1 | cat >/dev/null 2>&1 &");
        await WaitForAsync(() => File.Exists($"{workload.Root}/last"));
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using (IFence fence = await move.FreezeAsync())
        {
            await move.DumpAsync(fence);
            await move.CopyAsync();
            await using IHeldContainer held = await move.RestoreAsync();
            await fence.DestroyAsync(Token);
            await held.ReleaseAsync(Token);
        }

        string last = await File.ReadAllTextAsync($"{move.Request.RootPath}/last", Token);
        await WaitForAsync(() => File.ReadAllText($"{move.Request.RootPath}/last") != last);
        await using Move again = await Move.PrepareAsync(move.Request.Container.Name);
        await using IFence second = await again.FreezeAsync();
        await again.DumpAsync(second);
        await second.ThawAsync(Token);
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task Redis_keeps_its_data_its_run_id_and_its_uptime()
    {
        await using PreparedNetwork here = await PreparedNetwork.RaiseAsync();
        await using PreparedNetwork there = await PreparedNetwork.RaiseAsync();
        await using Workload workload = await Workload.PrepareAsync(
            ["redis-server", "--save", "", "--appendonly", "no"], configuration => Workload.UseNetwork(configuration, here.Path));
        await workload.StartAsync();
        string cli = $"nsenter --net={here.Path} redis-cli";
        await Shell.RunAsync($"until {cli} ping | grep -q PONG; do sleep 0.05; done; {cli} debug populate 20000 >/dev/null || seq 20000 | sed 's/.*/SET key:& value:&/' | {cli} --pipe >/dev/null; {cli} set marker here");
        string runId = await Shell.RunAsync($"{cli} info server | grep -E '^run_id'");
        string keys = await Shell.RunAsync($"{cli} dbsize");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAndCopyAsync();
        await Shell.RunAsync($"sed -i s#{here.Path}#{there.Path}# {move.Request.BundlePath}/config.json");
        await using IHeldContainer held = await move.RestoreAsync();
        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);
        cli = $"nsenter --net={there.Path} redis-cli";
        Assert.Equal(runId, await Shell.RunAsync($"{cli} info server | grep -E '^run_id'"));
        Assert.Equal(keys, await Shell.RunAsync($"{cli} dbsize"));
        Assert.Equal("here", await Shell.RunAsync($"{cli} get marker"));
    }

    private static async Task MoveToRunningAsync(Move move)
    {
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = Workload.CountIn(move.Container.RootPath);
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);
        await WaitForAsync(() => move.TargetCount > frozenAt + 2000);
    }

    internal static async Task WaitForAsync(Func<bool> reached)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!reached()) await Task.Delay(5, limit.Token);
    }

    /// <summary>Every thousand up to now is there once: the file's offset went along.</summary>
    private static async Task AssertLogHasNoGapAsync(Move move, ulong frozenAt)
    {
        ulong[] lines = [.. (await File.ReadAllLinesAsync($"{move.Request.RootPath}/log", Token)).Select(ulong.Parse)];
        Assert.True(lines[^1] > frozenAt);
        Assert.Equal(Enumerable.Range(1, lines.Length).Select(thousand => (ulong)thousand * 1000), lines);
    }
}
