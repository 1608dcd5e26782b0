using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Dumps whose memory we read ourselves, and those whose memory CRIU has to send.</summary>
public sealed class LazyDumpTests
{
    private const string LazySign = "ps-socket";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [Trait("Spec", "MEM-31")]
    [Trait("Spec", "MEM-32")]
    public async Task Memory_of_every_kind_is_in_the_dump_as_criu_itself_would_have_dumped_it()
    {
        await using Workload workload = await Workload.RunningAsync("odd.py");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        Assert.Contains(LazySign, await ConfigurationAsync(move));
        string reference = Directory.CreateDirectory($"/data/reference-{workload.Name}").FullName;
        await Shell.RunAsync($"runc checkpoint --leave-running --tcp-established --file-locks --manage-cgroups-mode ignore --image-path {reference} --work-path {reference} {workload.Name}");

        DumpSummary summary = await move.DumpAsync(fence);

        var expected = new DumpedMemory(reference);
        Assert.InRange(expected.Count, 6000, 20_000);
        Assert.Equal(expected.Count, summary.PagesDumped);
        Assert.Empty(expected.DifferencesTo(new DumpedMemory(move.Request.ImageDirectory)));
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        await fence.ThawAsync(Token);
        Assert.Equal("running", await Workload.StatusAsync(workload.Name));
    }

    [InsideFact]
    [Trait("Spec", "MEM-30")]
    public async Task Criu_listens_nowhere_and_ends_by_itself()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        Assert.Contains(LazySign, await ConfigurationAsync(move));
        string before = await ListenersAsync(), during = "";
        Task dump = move.DumpAsync(fence, new DiscardedPages());
        while (!dump.IsCompleted && (during = await ListenersAsync()) == before) await Task.Yield();
        await dump;
        Assert.Equal(before, during);
        Assert.Empty(Containers.Processes.OwnedProcesses.Find(move.SourceDirectory));
        string log = await File.ReadAllTextAsync($"{move.SourceDirectory}/dump.log", Token);
        Assert.Contains("Reusing ps socket", log);
        Assert.DoesNotContain("Accepted connection", log);
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(workload.Count + 5000);
    }

    [InsideFact]
    [Trait("Spec", "MEM-33")]
    public async Task Much_shared_memory_does_not_go_by_way_of_the_disk()
    {
        await using Workload workload = await Workload.PrepareAsync(
            ["python3", "-c", "import mmap, time; memory = mmap.mmap(-1, 300 << 20); memory.write(b'x' * (300 << 20)); open('/ready', 'w').close(); time.sleep(1000)"]);
        await workload.StartAsync();
        await workload.WaitUntilReadyAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        Assert.DoesNotContain(LazySign, await ConfigurationAsync(move));
        DumpSummary summary = await move.DumpAsync(fence, new DiscardedPages());
        Assert.InRange(summary.PagesDumped, 300 << 8, 400 << 8);
        await fence.ThawAsync(Token);
    }

    [InsideFact]
    [Trait("Spec", "MEM-33")]
    public async Task Where_criu_cannot_leave_memory_in_the_processes_an_ordinary_dump_is_prepared()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        RuncRuntime runtime = await RuncGround.BehindAsync("""case " $* " in *" --lazy-pages "*) exit 1;; esac""");
        await using IFreezePlan plan = await runtime.PrepareFreezeAsync(move.Container, move.SourceDirectory, Token);
        Assert.DoesNotContain(LazySign, await ConfigurationAsync(move));
        await using IFence fence = await plan.FreezeAsync(() => { }, Token);
        Assert.InRange((await move.DumpAsync(fence)).PagesDumped, 8 << 8, 50 << 8);
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(workload.Count + 5000);
    }

    /// <summary>CRIU asks its scripts before it locks the network; one of them says no.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-33")]
    public async Task A_dump_that_criu_fails_only_because_it_is_lazy_is_done_once_more()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        RuncRuntime runtime = await RuncGround.BehindAsync("""
            printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != network-lock ]\n' >/data/no; chmod +x /data/no
            case " $* " in *" --lazy-pages "*) echo 'action-script "/data/no"' >>"$CRIU_CONFIG_FILE";; esac
            """);
        await using IFreezePlan plan = await runtime.PrepareFreezeAsync(move.Container, move.SourceDirectory, Token);
        Assert.Contains(LazySign, await ConfigurationAsync(move));
        await using IFence fence = await plan.FreezeAsync(() => { }, Token);
        ulong frozenAt = workload.Count;
        Assert.InRange((await move.DumpAsync(fence)).PagesDumped, 8 << 8, 50 << 8);
        Assert.DoesNotContain(LazySign, await ConfigurationAsync(move));
        Assert.Equal(frozenAt, workload.Count);
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    /// <summary>With the connection that has ended taken away, CRIU's page server fails, after everything was dumped and while we read.</summary>
    [InsideFact]
    [Trait("Spec", "MEM-31")]
    public async Task Memory_that_was_read_does_not_count_when_criu_fails_in_the_end()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        RuncRuntime runtime = await RuncGround.BehindAsync("""case " $* " in *" --lazy-pages "*) n=$(sed -n 's/ps-socket //p' "$CRIU_CONFIG_FILE"); eval "exec $n>&-";; esac""");
        await using IFreezePlan plan = await runtime.PrepareFreezeAsync(move.Container, move.SourceDirectory, Token);
        await using IFence fence = await plan.FreezeAsync(() => { }, Token);
        ulong frozenAt = workload.Count;
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => move.DumpAsync(fence, new DiscardedPages()));
        Assert.Contains("could not be dumped", failure.Message, StringComparison.Ordinal);
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        Assert.Equal(frozenAt, workload.Count);
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);
        Assert.False(File.Exists($"{workload.Root}/broken"));
    }

    private static Task<string> ConfigurationAsync(Move move) => File.ReadAllTextAsync($"{move.SourceDirectory}/criu-dump.conf", Token);

    /// <summary>Sockets that listen, in whatever network the host itself has.</summary>
    private static async Task<string> ListenersAsync()
    {
        IEnumerable<string> lines = (await File.ReadAllLinesAsync("/proc/net/tcp", Token)).Concat(await File.ReadAllLinesAsync("/proc/net/tcp6", Token));
        return string.Join('\n', lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(columns => columns[3] == "0A").Select(columns => columns[1]).Order());
    }
}
