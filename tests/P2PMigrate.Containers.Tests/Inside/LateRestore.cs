using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A move whose restore leaves pages for later. The program that gives them is this one, as <see cref="Drivers.Give_pages"/>.</summary>
internal static class LateRestore
{
    private const string Script = "/data/give-pages";

    /// <summary>runc that restores so.</summary>
    public static async Task<RuncRuntime> RuntimeAsync()
    {
        string own = $"exec {Environment.ProcessPath} {typeof(Drivers).Assembly.Location} --filter-method {typeof(Drivers).FullName}.{nameof(Drivers.Give_pages)} --results-directory /tmp/results";
        await File.WriteAllTextAsync(Script, $"#!/bin/sh\nexport {Drivers.PageWordsVariable}=\"$*\"\n{own}\n", TestContext.Current.CancellationToken);
        await Shell.RunAsync($"chmod +x {Script}");
        return new RuncRuntime(new RuncOptions { PageProgram = [Script] }, NullLogger.Instance);
    }

    /// <summary>Freezes, dumps, copies, restores and lets run; the source is destroyed. Pages are still being given.</summary>
    public static async Task RunAsync(Move move, IContainerRuntime runtime, Func<Task>? whileHeld = null)
    {
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await using IHeldContainer held = await runtime.RestoreAsync(move.Request, TestContext.Current.CancellationToken);
        if (whileHeld is not null) await whileHeld();
        await fence.DestroyAsync(TestContext.Current.CancellationToken);
        await held.ReleaseAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Who gives pages, and what has become of them.</summary>
    public static LazyHandover HandoverOf(Move move) => LazyHandover.Load(move.Request.WorkDirectory)!;

    /// <summary>Kills whoever gives pages, and each that takes over, a moment after it has begun.</summary>
    public static async Task KillAsync(Move move, int times, TimeSpan after)
    {
        ProcessIdentity? last = null;
        for (int killed = 0; killed < times && HandoverOf(move).Ended is null;)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
            if (HandoverOf(move).Giver is not { IsAlive: true } giver || giver == last) continue;
            await Task.Delay(after, TestContext.Current.CancellationToken);
            giver.Kill();
            last = giver;
            killed++;
        }
    }

    /// <summary>What a program of <c>pages.py</c> says of its memory.</summary>
    public static Task<string> CheckAsync(Move move) => Shell.RunAsync(
        $"touch {move.Request.RootPath}/check; timeout 60 sh -c 'until [ -e {move.Request.RootPath}/checked ]; do sleep 0.02; done'; cat {move.Request.RootPath}/checked; rm {move.Request.RootPath}/checked");
}
