using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A move whose restore leaves pages for later. The program that gives them is this one, as <see cref="Drivers.Give_pages"/>.</summary>
internal static class LateRestore
{
    private const string Script = "/data/give-pages";
    private const int AttemptsMax = 3;

    /// <summary>runc that restores so. Whoever gives pages may have so many descriptors, if there is a limit.</summary>
    public static async Task<RuncRuntime> RuntimeAsync(int? descriptorsMax = null)
    {
        string own = $"exec {Environment.ProcessPath} {typeof(Drivers).Assembly.Location} --filter-method {typeof(Drivers).FullName}.{nameof(Drivers.Give_pages)} --results-directory /tmp/results";
        await File.WriteAllTextAsync(Script, $"#!/bin/sh\n{(descriptorsMax is { } most ? $"ulimit -n {most}" : "")}\nexport {Drivers.PageWordsVariable}=\"$*\"\n{own}\n", TestContext.Current.CancellationToken);
        await Shell.RunAsync($"chmod +x {Script}");
        return new RuncRuntime(new RuncOptions { PageProgram = [Script] }, new OutputLogger());
    }

    /// <summary>Freezes, dumps, copies, restores and lets run; the source is destroyed. Pages are still being given.</summary>
    public static async Task RunAsync(Move move, IContainerRuntime runtime, Func<Task>? whileHeld = null)
    {
        await using IFence fence = await FreezeAndCopyAsync(move);
        await using IHeldContainer held = await runtime.RestoreAsync(move.Request, TestContext.Current.CancellationToken);
        if (whileHeld is not null) await whileHeld();
        await fence.DestroyAsync(TestContext.Current.CancellationToken);
        await held.ReleaseAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Freezes, dumps and copies.</summary>
    public static async Task<IFence> FreezeAndCopyAsync(Move move)
    {
        IFence fence = await FreezeAndDumpAsync(move, held => move.DumpAsync(held), _ => LatePagesOf(move) >= LateGiving.PagesMin);
        await move.CopyAsync();
        return fence;
    }

    /// <summary>
    /// Freezes and dumps. A dump that CRIU did not leave in the processes has no pages that could come late: that is said, with CRIU's log, and it is made once more.
    /// </summary>
    public static async Task<IFence> FreezeAndDumpAsync(Move move, Func<IFence, Task> dumpAsync, Func<IFence, bool> hasLate)
    {
        for (int attempt = 1; ; attempt++)
        {
            IFence fence = await move.FreezeAsync();
            await dumpAsync(fence);
            if (hasLate(fence) || attempt == AttemptsMax) return fence;
            TestContext.Current.TestOutputHelper?.WriteLine($"The dump left nothing for later: {await Shell.RunAsync($"tail -n 20 {move.SourceDirectory}/*.log")}");
            await using (fence) await fence.ThawAsync(TestContext.Current.CancellationToken);
            foreach (string image in Directory.EnumerateFiles(move.Request.ImageDirectory)) File.Delete(image);
        }
    }

    /// <summary>Who gives pages; null when nobody has to any more.</summary>
    public static LazyHandover? HandoverOf(Move move) => LazyHandover.Load(move.Request.WorkDirectory);

    /// <summary>What has become of all pages.</summary>
    public static LazyCounts CountsOf(Move move)
    {
        Assert.Null(HandoverOf(move));
        LazyCounts counts = LazyCounts.Load(move.Request.WorkDirectory) ?? throw new InvalidOperationException($"No page came late; {LatePagesOf(move)} could have.");
        TestContext.Current.TestOutputHelper?.WriteLine(counts.ToString());
        return counts;
    }

    /// <summary>How many address spaces are in the hands of who gives pages. What else it has open, above all its program's own files, is not counted.</summary>
    public static int CountUserfaults(Move move) => new DirectoryInfo($"/proc/{HandoverOf(move)!.Giver.Pid}/fd").EnumerateFileSystemInfos().Count(file => file.LinkTarget == "anon_inode:[userfaultfd]");

    private static long LatePagesOf(Move move) =>
        PagemapChain.ProcessesIn(move.Request.ImageDirectory).Sum(image => PagemapChain.LazyPagesOf(move.Request.ImageDirectory, image));

    /// <summary>Those who give and keep pages, and the cgroup in which they are.</summary>
    public static (LateProcesses Processes, string Place) ProcessesOf(Move move)
    {
        var processes = new LateProcesses(move.Request.WorkDirectory);
        return (processes, processes.TryMakePlace()!);
    }

    /// <summary>Nobody gives or keeps pages, and nothing of them is left.</summary>
    public static void AssertOver(Move move)
    {
        Assert.Null(HandoverOf(move));
        var processes = new LateProcesses(move.Request.WorkDirectory);
        Assert.Empty(processes.All);
        Assert.DoesNotContain(processes.Places(), Directory.Exists);
    }

    /// <summary>Whoever gives pages stops as soon as CRIU has restored all, and gives no more.</summary>
    public static Task StopGivingAsync(Move move)
    {
        Task.Run(async () =>
        {
            while (HandoverOf(move) is { IsRestored: false }) await Task.Delay(1);
            await new Containers.Linux.Cgroup(ProcessesOf(move).Place).SetFrozenAsync(frozen: true, TimeSpan.FromSeconds(10), CancellationToken.None);
        });
        return Task.CompletedTask;
    }

    /// <summary>Kills whoever gives and whoever keeps pages, at once.</summary>
    public static async Task KillAllAsync(Move move)
    {
        await new Containers.Linux.Cgroup(ProcessesOf(move).Place).KillAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    /// <summary>Kills whoever gives pages, and each that takes over, a moment after it has begun.</summary>
    public static async Task KillAsync(Move move, int times, TimeSpan after)
    {
        ProcessIdentity? last = null;
        for (int killed = 0; killed < times && HandoverOf(move) is { } handover;)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
            if (handover.Giver is not { IsAlive: true } giver || giver == last) continue;
            await Task.Delay(after, TestContext.Current.CancellationToken);
            giver.Kill();
            last = giver;
            killed++;
        }
    }

    /// <summary>The same, where <see cref="StopGivingAsync"/> has stopped the first, which gives a few pages more before it is killed.</summary>
    public static async Task KillOnTheWayAsync(Move move, int times, TimeSpan after)
    {
        var place = new Containers.Linux.Cgroup(ProcessesOf(move).Place);
        place.Thaw();
        await Task.Delay(5, TestContext.Current.CancellationToken);
        await place.SetFrozenAsync(frozen: true, TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        HandoverOf(move)!.Giver.Kill();
        place.Thaw();
        await KillAsync(move, times - 1, after);
    }

    /// <summary>What a program of <c>pages.py</c> says of its memory.</summary>
    public static Task<string> CheckAsync(Move move) => Shell.RunAsync(
        $"touch {move.Request.RootPath}/check; timeout 60 sh -c 'until [ -e {move.Request.RootPath}/checked ]; do sleep 0.02; done'; cat {move.Request.RootPath}/checked; rm {move.Request.RootPath}/checked");
}
