using P2PMigrate.Containers.Trees;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// Process trees without a container. Their copy has their numbers, so that on one host the frozen tree must end before it is restored; between two hosts it does not, which
/// the tests of the shipped program show.
/// </summary>
public sealed class TreeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-195")]
    public async Task A_tree_is_held_released_and_moved_again_under_its_numbers()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        for (int times = 0; times < 2; times++)
        {
            ulong frozenAt = await DumpAndEndAsync(workload, move);
            Assert.DoesNotContain(
                await Move.Runtime.CheckTargetAsync(move.Request.Container, await Move.Runtime.DescribeMachineAsync(Token), Token), finding => finding.Severity == FindingSeverity.Blocker);
            await using IHeldContainer held = await move.RestoreAsync();
            await Task.Delay(300, Token); // long enough for thousands of counts, if it ran
            Assert.Equal(frozenAt, workload.Count);

            await held.ReleaseAsync(Token);
            Assert.Equal("running", await Workload.StatusAsync(workload.Name));
            await workload.WaitForCountAsync(frozenAt + 5000);
            Assert.Equal(RestoredState.Runs, await Move.Runtime.FindRestoredAsync(move.Request, Token));
            Assert.Equal(move.Request.BundlePath, (await Move.Runtime.InspectAsync(workload.Name, null, Token)).BundlePath);
        }

        Assert.False(File.Exists($"{workload.Root}/broken"));
        await DumpAndEndAsync(workload, move);
        Assert.Equal("", IGround.Current.RemainsOf(workload.Name));
    }

    [InsideFact]
    [OfTrees]
    public async Task An_aborted_restore_leaves_nothing_and_can_be_done_again()
    {
        await using Workload workload = await Workload.CountingAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        ulong frozenAt = await DumpAndEndAsync(workload, move);
        for (int times = 0; times < 2; times++)
        {
            IHeldContainer held = await move.RestoreAsync();
            await held.AbortAsync(Token);
            await move.AssertNothingLeftAsync();
            Assert.Equal(frozenAt, workload.Count);
        }
    }

    [InsideFact]
    [OfTrees]
    public async Task A_restore_killed_at_any_moment_can_be_cleaned_up_and_done_again()
    {
        const int rounds = 5, longestMs = 600;
        int seed = Environment.TickCount;
        var random = new Random(seed);
        await using Workload workload = await Workload.CountingAsync(20);
        await using Move move = await Move.PrepareAsync(workload.Name);
        ulong frozenAt = await DumpAndEndAsync(workload, move);
        await File.WriteAllBytesAsync($"{move.Request.BundlePath}/config.json", move.Container.Configuration, Token);
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
            Assert.Equal(frozenAt, workload.Count);
        }

        await using IHeldContainer held = await move.RestoreAsync();
        await held.ReleaseAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-196")]
    public async Task A_number_that_is_taken_is_told_before_and_after_and_whose_it_is_goes_on()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        Finding finding = (await Move.Runtime.CheckTargetAsync(move.Request.Container, await Move.Runtime.DescribeMachineAsync(Token), Token)).First(finding => finding.Severity == FindingSeverity.Blocker);
        Assert.Equal($"Process {move.Container.InitPid} (python3) runs here already, and a process tree keeps its numbers.", finding.Message);

        ContainerException refused = await Assert.ThrowsAsync<ContainerException>(move.RestoreAsync);
        Assert.Equal(finding.Message, refused.Message);
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-196")]
    public async Task A_file_that_is_not_the_same_here_is_told_by_its_name()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.Contains(await Move.Runtime.CheckSourceAsync(move.Container, Token), finding => finding.Message.Contains($"writes {workload.Root}/log", StringComparison.Ordinal));
        await DumpAndEndAsync(workload, move);
        await File.AppendAllTextAsync($"{workload.Root}/log", "more\n", Token);
        Finding late = Assert.Single(await Move.Runtime.VerifyAsync(move.Request, Token), finding => finding.Severity == FindingSeverity.Blocker);
        Assert.Contains($"The file {workload.Root}/log, which the container holds open, has", late.Message, StringComparison.Ordinal);

        File.Delete($"{workload.Root}/log");
        Finding early = Assert.Single(
            await Move.Runtime.CheckTargetAsync(move.Request.Container, await Move.Runtime.DescribeMachineAsync(Token), Token), finding => finding.Severity == FindingSeverity.Blocker);
        Assert.Equal($"{workload.Root}/log, which the process tree uses, is missing here.", early.Message);
        await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.RestoreAsync(move.Request, Token));
        await move.AssertNothingLeftAsync();
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-197")]
    public async Task A_tree_is_gathered_to_be_frozen_and_put_back_when_it_goes_on_or_is_not_frozen_at_all()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.Equal("0::/init", await PlaceAsync(workload));
        await using (await move.PlanAsync()) Assert.Equal($"0::/init/p2pmigrate-{workload.Name}", await PlaceAsync(workload));
        Assert.Equal("0::/init", await PlaceAsync(workload));
        Assert.False(Directory.Exists(workload.Cgroup));

        await using IFence fence = await move.FreezeAsync();
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        await move.DumpAsync(fence);
        Assert.True(await fence.ThawAsync(Token));
        Assert.Equal("0::/init", await PlaceAsync(workload));
        Assert.False(Directory.Exists(workload.Cgroup));
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-197")]
    public async Task What_another_job_has_frozen_is_not_taken_out_of_its_fence()
    {
        await using Workload workload = await Workload.RunningAsync("contents.py", "nothing", "child");
        string child = (await File.ReadAllTextAsync($"{workload.Root}/child", Token)).Trim();
        await using Move inner = await Move.PrepareAsync($"pid-{child}");
        await using IFence fence = await inner.FreezeAsync();

        await using Move outer = await Move.PrepareAsync(workload.Name);
        Assert.Contains(await Move.Runtime.CheckSourceAsync(outer.Container, Token), finding => finding is { Subject: "cgroup", Severity: FindingSeverity.Blocker });
        ContainerException refused = await Assert.ThrowsAsync<ContainerException>(outer.FreezeAsync);
        Assert.Contains($"Process {child} (python3) is in another cgroup", refused.Message, StringComparison.Ordinal);
        Assert.Equal("paused", await Workload.StatusAsync($"pid-{child}"));
        Assert.Equal("0::/init", await PlaceAsync(workload));
        Assert.True(await fence.ThawAsync(Token));
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-197")]
    public async Task A_number_that_was_given_again_is_not_the_tree_that_was_looked_at()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await Shell.RunAsync($"kill -9 {move.Container.InitPid}; while [ -e /proc/{move.Container.InitPid}/exe ]; do :; done");
        await workload.StartAsync();
        await workload.WaitForCountAsync(2000);
        await Assert.ThrowsAsync<ContainerException>(move.PlanAsync);
        Assert.Equal("0::/init", await PlaceAsync(workload));
        int pages = 0;
        using (ILiveMemory memory = Move.Runtime.OpenLiveMemory(move.Container)!) memory.ReadPass((_, _, _) => pages++, Token);
        Assert.Equal(0, pages);
    }

    [InsideFact]
    [OfTrees]
    public async Task When_the_first_process_dies_in_its_sleep_the_others_are_let_go_on_by_whoever_comes_next()
    {
        await using Workload workload = await Workload.RunningAsync("contents.py", "nothing", "child");
        string child = (await File.ReadAllTextAsync($"{workload.Root}/child", Token)).Trim();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await move.FreezeAsync();
        await Shell.RunAsync($"kill -9 {move.Container.InitPid}; while [ -e /proc/{move.Container.InitPid}/exe ]; do :; done");
        IFence? fence = await Move.Runtime.ReopenFenceAsync(move.SourceDirectory, Token);
        Assert.True(await fence!.ThawAsync(Token));
        Assert.Equal("running", await Workload.StatusAsync($"pid-{child}"));
        await Shell.RunAsync($"kill -9 {child}; while [ -e /proc/{child}/exe ]; do :; done");
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-197")]
    public async Task A_process_that_left_the_tree_after_it_was_gathered_is_not_lost_without_a_word()
    {
        await using Workload workload = await Workload.RunningAsync("leaving.py");
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFreezePlan plan = await move.PlanAsync();
        await File.WriteAllTextAsync($"{workload.Root}/leave", "", Token);
        await Shell.RunAsync($"timeout 20 sh -c 'until [ -e {workload.Root}/left ]; do sleep 0.02; done'");
        await using IFence fence = await plan.FreezeAsync(() => { }, Token);
        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => move.DumpAsync(fence));
        Assert.Contains($"has begun in the tree of process {move.Container.InitPid} and left it", failure.Message, StringComparison.Ordinal);
        Assert.True(await fence.ThawAsync(Token));
        await Shell.RunAsync($"kill $(cat {workload.Root}/left)");
    }

    [InsideFact]
    [OfTrees]
    [Trait("Spec", "MIG-196")]
    public async Task What_ties_a_tree_to_its_machine_is_found_beforehand()
    {
        (string Script, string Said)[] all =
        [
            ("pass", "belongs to the session of process"),
            ("os.setsid(); pipe = os.pipe(); os.fork() and os.wait() or os.fork() and os._exit(0)", "is a pipe to process"), // whose end an orphan has
            ("os.setsid(); os.chroot('/opt')", "has /opt for its root directory"),
            ("os.setsid(); os.unshare(os.CLONE_NEWNET)", "has a net namespace of its own"),
            ("os.setsid(); libc.shmget(0x7041, 8192, 0o1600)", "System V shared memory (key 28737)"),
            ("os.setsid(); libc.msgsnd(libc.msgget(0x7042, 0o1600), b'\\1' + b'\\0' * 15, 4, 0)", "System V message queue (key 28738)"),
        ];
        foreach ((string script, string said) in all)
        {
            await File.WriteAllTextAsync("/data/tied.py", $"import ctypes, os, time; libc = ctypes.CDLL(None); there = open('/data/tied.there', 'w')\n{script}\nthere.write(str(os.getpid()) + ' '); there.flush(); time.sleep(1000)", Token);
            string pid = await Shell.RunAsync("rm -f /data/tied.there; python3 /data/tied.py </dev/null >/dev/null 2>&1 & until grep -qw $! /data/tied.there 2>/dev/null; do sleep 0.1; done; echo $!");
            try
            {
                ContainerDescription container = await Move.Runtime.InspectAsync($"pid-{pid}", null, Token);
                IReadOnlyList<Finding> findings = await Move.Runtime.CheckSourceAsync(container, Token);
                Assert.Contains(findings, finding => finding.Severity == FindingSeverity.Blocker && finding.Remedy is not null && finding.Message.Contains(said, StringComparison.Ordinal));
            }
            finally
            {
                await Shell.RunAsync($"pkill -KILL -s {pid} || :; kill -9 {pid} 2>/dev/null || :; ipcrm -M 0x7041 2>/dev/null || :; ipcrm -Q 0x7042 2>/dev/null || :");
            }
        }
    }

    [InsideFact]
    [OfTrees]
    public async Task What_is_no_tree_that_can_move_is_refused_in_words()
    {
        (string Name, string Said)[] all =
        [
            ("web", "'web' is no process tree"), ("pid-007", "'pid-007' is no process tree"), ("pid-0", "'pid-0' is no process tree"), ("pid-99999999999", "is no process tree"),
            ("pid-4194000", "There is no process 4194000 here."), ("pid-1", "Process 1 is this machine's first one and cannot move."),
            ($"pid-{Environment.ProcessId}", "This program is itself one of the tree"),
        ];
        foreach ((string name, string said) in all)
        {
            ContainerException refused = await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.InspectAsync(name, null, Token));
            Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        }

        Assert.Contains("no bundle", (await Assert.ThrowsAsync<ContainerException>(() => Move.Runtime.InspectAsync("pid-1", "/data", Token))).Message, StringComparison.Ordinal);
        Assert.Equal("pid-7", TreeRuntime.NameOf(7));
    }

    /// <summary>Freezes, dumps into the move's images and destroys; returns the count at which it stood still.</summary>
    private static async Task<ulong> DumpAndEndAsync(Workload workload, Move move)
    {
        await Shell.RunAsync($"rm -rf {move.Request.ImageDirectory}/*");
        await move.LookAgainAsync();
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        await fence.DestroyAsync(Token);
        Assert.Equal("gone", await Workload.StatusAsync(workload.Name));
        Assert.Equal(frozenAt, workload.Count);
        return frozenAt;
    }

    private static Task<string> PlaceAsync(Workload workload) => Shell.RunAsync($"grep ^0:: /proc/{workload.Name["pid-".Length..]}/cgroup");
}
