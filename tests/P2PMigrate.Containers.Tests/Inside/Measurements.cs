using System.Diagnostics;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>How long each step takes for a process of 200 MB; printed, and bounded only against disasters.</summary>
public sealed class Measurements
{
    private const int Rounds = 2;
    private static readonly TimeSpan s_disaster = TimeSpan.FromSeconds(10);

    [InsideFact]
    public async Task Steps_of_a_200_MB_process()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        for (int round = 0; round < Rounds; round++)
        {
            await using Workload workload = await Workload.CountingAsync(200);
            await using Move move = await Move.PrepareAsync(workload.Name);
            var clock = Stopwatch.StartNew();
            await using IFence fence = await move.FreezeAsync();
            TimeSpan freeze = clock.Elapsed;
            DumpSummary discarded = await move.DumpAsync(fence, new DiscardedPages());
            await Shell.RunAsync($"rm -rf {move.Request.ImageDirectory}; mkdir {move.Request.ImageDirectory}");
            DumpSummary dump = await move.DumpAsync(fence);
            await move.CopyAsync();
            clock.Restart();
            await using IHeldContainer held = await move.RestoreAsync();
            TimeSpan restore = clock.Elapsed;
            clock.Restart();
            await fence.DestroyAsync(token);
            TimeSpan destroy = clock.Elapsed;
            clock.Restart();
            await held.ReleaseAsync(token);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"freeze {freeze.TotalMilliseconds:0} ms, dump {dump.Duration.TotalMilliseconds:0} ms ({dump.PagesDumped / 256} MB; into nothing {discarded.Duration.TotalMilliseconds:0} ms), verify and restore up to the hold {restore.TotalMilliseconds:0} ms, destroy {destroy.TotalMilliseconds:0} ms, release {clock.Elapsed.TotalMilliseconds:0} ms");
            Assert.True(freeze + dump.Duration + restore + clock.Elapsed < s_disaster);
        }
    }
}

/// <summary>A sink that costs nothing.</summary>
internal sealed class DiscardedPages : IPageSink
{
    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
