using P2PMigrate.Containers.Tests.Criu;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Freeze, dump, thaw and destroy at the source.</summary>
public sealed class CheckpointTests
{
    private const string Mac = "02:00:00:09:08:07";

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_thawed_container_goes_on_and_has_not_run_one_instruction_since_the_freeze()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.True(move.Container.MemoryBytes > 60 << 20);
        Assert.Equal(1, move.Container.ProcessCount);

        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        DumpSummary summary = await move.DumpAsync(fence);
        Assert.InRange(summary.PagesDumped, (60 << 20) / 4096, (200 << 20) / 4096);
        Assert.Equal(frozenAt, workload.Count);
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        Assert.Equal(frozenAt, workload.Count);

        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
        Assert.False(File.Exists($"{workload.Root}/broken"));
        Assert.Null(await Move.Runtime.ReopenFenceAsync(move.SourceDirectory, TestContext.Current.CancellationToken));
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_destroyed_container_is_gone_without_having_run()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await fence.DestroyAsync(TestContext.Current.CancellationToken);
        await fence.DestroyAsync(TestContext.Current.CancellationToken);
        Assert.Equal(frozenAt, workload.Count);
        Assert.Equal("gone", await Workload.StatusAsync(workload.Name));
        Assert.False(Directory.Exists($"{workload.Cgroup}"));
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task What_criu_cannot_dump_is_found_before_and_told_after_and_the_container_runs_on()
    {
        await using Workload workload = await Workload.CountingAsync(8, ["io_uring"]);
        await using Move move = await Move.PrepareAsync(workload.Name);
        IReadOnlyList<Finding> findings = await Move.Runtime.CheckSourceAsync(move.Container, TestContext.Current.CancellationToken);
        Assert.Contains(findings, finding => finding.Severity == FindingSeverity.Blocker && finding.Message.Contains("io_uring", StringComparison.Ordinal));

        await using IFence fence = await move.FreezeAsync();
        Exception? outcome = await Record.ExceptionAsync(() => move.DumpAsync(fence));
        if (outcome is null) // seen once
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await Shell.RunAsync(
                $"for p in $(cat {Containers.Linux.Cgroup.Of(move.Container.InitPid).Path}/cgroup.procs); do ps -o pid,ppid,args -p $p; ls -l /proc/$p/fd; done; grep -E 'io_uring|Dumping (task|path)|tree' {move.SourceDirectory}/dump.log"));
        }

        ContainerException failure = Assert.IsType<ContainerException>(outcome);
        Assert.Equal($"The container {workload.Name} could not be dumped. A process uses io_uring, which CRIU cannot dump; configure the program to do without it.", failure.Message);
        Assert.True(File.Exists(failure.LogPath));
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));

        ulong frozenAt = workload.Count;
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_sink_that_breaks_in_the_middle_fails_the_dump_and_nothing_else()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => move.DumpAsync(fence, new RecordedPages { FailAtCall = 20 }));
        Assert.Equal($"The container {workload.Name} could not be dumped. Its memory pages could not be delivered: the tunnel broke", failure.Message);
        Assert.Equal(frozenAt, workload.Count);
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.SourceDirectory));

        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
        Assert.False(File.Exists($"{workload.Root}/broken"));
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task The_runtime_and_criu_are_known_as_ours_while_they_dump()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        var found = new HashSet<string>();
        Task dump = move.DumpAsync(fence, new RecordedPages());
        while (!dump.IsCompleted) found.UnionWith(Containers.Processes.OwnedProcesses.Find(move.SourceDirectory).Select(process => Name(process.Pid)));
        await dump;
        Assert.Contains("criu", found);
        Assert.Contains(IGround.Current.DumpingProgram, found);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_cancelled_dump_ends_by_criu_s_own_way_out()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        using var stop = new CancellationTokenSource();
        Task<DumpSummary> dump = fence.DumpAsync(move.Request.ImageDirectory, new StuckPages(stop.Cancel), stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dump);
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.SourceDirectory));
        Assert.Equal(frozenAt, workload.Count);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_fence_outlives_its_process_and_can_be_thawed_by_the_next()
    {
        await using Workload workload = await Workload.CountingAsync();
        using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Freeze_and_wait), workload.Name);
        await driver.KillAsync();
        ulong frozenAt = workload.Count;
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        Assert.Equal(frozenAt, workload.Count);

        string directory = $"/data/job-{workload.Name}/source";
        await using IFence? fence = await Move.Runtime.ReopenFenceAsync(directory, TestContext.Current.CancellationToken);
        Assert.NotNull(fence);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_process_killed_while_it_dumps_leaves_the_container_frozen_and_thawable()
    {
        await using Workload workload = await Workload.CountingAsync();
        using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Dump_into_a_sink_that_never_ends), workload.Name);
        ulong frozenAt = workload.Count;
        await driver.KillAsync();

        string directory = $"/data/job-{workload.Name}/source";
        await using IFence? fence = await Move.Runtime.ReopenFenceAsync(directory, TestContext.Current.CancellationToken);
        Assert.NotNull(fence);
        Assert.Equal(frozenAt, workload.Count);
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        await workload.WaitForCountAsync(frozenAt + 5000);
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(directory));
        Assert.False(File.Exists($"{workload.Root}/broken"));
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_container_that_is_killed_while_frozen_is_told_and_leaves_nothing_to_undo()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        await Shell.RunAsync($"kill -9 {await workload.InitPidAsync()}; while grep -q 'populated 1' {workload.Cgroup}/cgroup.events 2>/dev/null; do :; done");
        Assert.False(await fence.ThawAsync(TestContext.Current.CancellationToken));
        Assert.Null(await Move.Runtime.ReopenFenceAsync(move.SourceDirectory, TestContext.Current.CancellationToken));
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task A_process_killed_at_any_moment_of_freeze_and_dump_leaves_a_container_that_can_be_thawed()
    {
        const int rounds = 6, longestMs = 700;
        int seed = Environment.TickCount;
        var random = new Random(seed);
        await using Workload workload = await Workload.CountingAsync(20);
        string directory = Directory.CreateDirectory($"/data/job-{workload.Name}/source").FullName;
        for (int round = 0; round < rounds; round++)
        {
            File.Delete($"{directory}/{Drivers.ReachedFile}");
            using DriverProcess driver = await DriverProcess.StartAsync(nameof(Drivers.Freeze_and_dump), workload.Name);
            int waitMs = random.Next(longestMs);
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}, round {round}: killed after {waitMs} ms");
            await Task.Delay(waitMs, TestContext.Current.CancellationToken);
            await driver.KillAsync();

            await using (IFence? fence = await Move.Runtime.ReopenFenceAsync(directory, TestContext.Current.CancellationToken))
            {
                if (fence is not null) await fence.ThawAsync(TestContext.Current.CancellationToken);
            }

            Assert.Equal("running", await Workload.StatusAsync(workload.Name));
            await workload.WaitForCountAsync(workload.Count + 2000);
            Assert.False(File.Exists($"{workload.Root}/broken"));
        }
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task A_bridge_port_is_taken_off_while_frozen_and_put_back_by_the_thaw()
    {
        await using PreparedNetwork network = await PreparedNetwork.RaiseAsync("10.9.8.7/24", Mac);
        await Shell.RunAsync($"ip link add br-test type bridge 2>/dev/null || :; ip link set br-test up; ip link set {network.Veth} master br-test up");
        await using Workload workload = await Workload.CountingAsync(8, configure: configuration => Workload.UseNetwork(configuration, network.Path));
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.DoesNotContain(await Move.Runtime.CheckSourceAsync(move.Container, TestContext.Current.CancellationToken), finding => finding.Severity != FindingSeverity.Good);
        await using IFence fence = await move.FreezeAsync();
        Assert.DoesNotContain("master", await Shell.RunAsync($"ip link show {network.Veth}"));
        Assert.Contains("state DOWN", await Shell.RunAsync($"ip link show {network.Veth}"));
        await move.DumpAsync(fence);
        Assert.Contains("network-lock skip", await File.ReadAllTextAsync($"{move.SourceDirectory}/criu-dump.conf"));
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("alias", await Shell.RunAsync($"ip link show {network.Veth}"));
        Assert.Contains("master br-test", await Shell.RunAsync($"ip link show up dev {network.Veth}"));
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task A_network_that_is_no_bridge_port_is_locked_by_criu_and_unlocked_again()
    {
        await using PreparedNetwork network = await PreparedNetwork.RaiseAsync("10.6.6.2/24", Mac);
        await Shell.RunAsync($"ip addr add 10.6.6.1/24 dev {network.Veth}; ip link set {network.Veth} up");
        await using Workload workload = await Workload.PrepareAsync(
            ["redis-server", "--save", "", "--bind", "10.6.6.2", "--protected-mode", "no"], configuration => Workload.UseNetwork(configuration, network.Path));
        await workload.StartAsync();
        await Shell.RunAsync("until redis-cli -h 10.6.6.2 ping; do sleep 0.05; done; redis-cli -h 10.6.6.2 subscribe nothing </dev/null >/dev/null 2>&1 & echo $! > /data/subscriber");
        await Shell.RunAsync("until redis-cli -h 10.6.6.2 client list | grep -q sub=1; do sleep 0.05; done");
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.Contains(
            await Move.Runtime.CheckSourceAsync(move.Container, TestContext.Current.CancellationToken),
            finding => finding is { Subject: "network", Severity: FindingSeverity.Warning });
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence);
        Assert.Contains("network-lock nftables", await File.ReadAllTextAsync($"{move.SourceDirectory}/criu-dump.conf"));
        Assert.Equal("", await Shell.RunAsync($"nsenter --net={network.Path} nft list ruleset"));
        await fence.ThawAsync(TestContext.Current.CancellationToken);
        Assert.Equal("PONG", await Shell.RunAsync("redis-cli -h 10.6.6.2 ping; kill $(cat /data/subscriber)"));
    }

    [InsideFact]
    public async Task A_process_from_outside_a_file_outside_and_a_paused_container_are_found_beforehand()
    {
        await using Workload workload = await Workload.PrepareAsync(["sleep", "1000"]);
        await workload.StartAsync("</dev/null >/data/outside.log 2>&1");
        await Shell.RunAsync($"runc exec -d {workload.Name} sleep 1000 </dev/null >/dev/null 2>&1");
        await using Move move = await Move.PrepareAsync(workload.Name);
        IReadOnlyList<Finding> findings = await Move.Runtime.CheckSourceAsync(move.Container, TestContext.Current.CancellationToken);
        Assert.Contains(findings, finding => finding.Subject == "process" && finding.Severity == FindingSeverity.Blocker);
        Assert.Contains(findings, finding => finding.Subject == "file" && finding.Message.Contains("/data/outside.log", StringComparison.Ordinal));

        await Shell.RunAsync($"runc pause {workload.Name}");
        ContainerException paused = await Assert.ThrowsAsync<ContainerException>(() => Move.PrepareAsync(workload.Name));
        Assert.Contains("runc resume", paused.Message);
        ContainerException unknown = await Assert.ThrowsAsync<ContainerException>(() => Move.PrepareAsync("nobody"));
        Assert.Contains("runc list", unknown.Message);
    }

    [InsideFact]
    public async Task This_host_is_fit_and_says_what_it_is()
    {
        IReadOnlyList<Finding> findings = await Move.Runtime.CheckMachineAsync(TestContext.Current.CancellationToken);
        foreach (Finding finding in findings) TestContext.Current.TestOutputHelper?.WriteLine(finding.ToString());
        Assert.DoesNotContain(findings, finding => finding.Severity == FindingSeverity.Blocker);
        Assert.All(findings, finding => Assert.Equal(finding.Severity == FindingSeverity.Good, finding.Remedy is null));
        MachineFacts facts = await Move.Runtime.DescribeMachineAsync(TestContext.Current.CancellationToken);
        Assert.Matches(@"^\d+\.\d+\.\d+$", facts.CriuVersion);
        Assert.NotEmpty(facts.CpuFeatures);
    }

    private static string Name(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return "gone";
        }
    }
}
