using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Somebody thaws a container and freezes it again while its memory is read from the frozen processes.</summary>
public sealed class StandstillTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [Trait("Spec", "MIG-151")]
    public async Task A_container_that_was_thawed_and_frozen_again_while_its_memory_was_read_is_not_dumped()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;

        ContainerException failure = await Assert.ThrowsAsync<ContainerException>(() => move.DumpAsync(fence, new DisturbedPages(move, "for i in $(seq 20); do echo 0 > $c/cgroup.freeze; echo 1 > $c/cgroup.freeze; sleep 0.1; done")));

        Assert.Contains("was thawed by somebody", failure.Message, StringComparison.Ordinal);
        Assert.Equal("paused", await Workload.StatusAsync(workload.Name));
        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    [InsideFact]
    [Trait("Spec", "MIG-151")]
    public async Task Signals_that_wait_for_a_frozen_container_do_not_count()
    {
        await using Workload workload = await Workload.CountingAsync(8);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;

        await move.DumpAsync(fence, new DisturbedPages(move, "for p in $(cat $c/cgroup.procs); do kill -CONT $p; kill -WINCH $p; done"));

        await fence.ThawAsync(Token);
        await workload.WaitForCountAsync(frozenAt + 5000);
    }

    /// <summary>Waits with the first pages until CRIU is gone, does something to the container's cgroup, and takes the rest.</summary>
    private sealed class DisturbedPages(Move move, string script) : IPageSink
    {
        private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
        private bool _isDone;

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            if (_isDone)
                return;
            _isDone = true;
            Assert.True(await Containers.Processes.OwnedProcesses.WaitForEndAsync(move.SourceDirectory, s_limit, cancellationToken));
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken); // its end is seen and the watch begun
            string cgroup = Containers.Linux.Cgroup.Of(move.Container.InitPid).Path;
            await Shell.RunAsync($"c={cgroup}; {script}");
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
