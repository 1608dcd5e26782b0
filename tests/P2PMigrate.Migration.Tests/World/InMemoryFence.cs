using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>A frozen copy. Dumping makes a file in the container's tree, as CRIU does for unlinked names.</summary>
internal sealed class InMemoryFence(InMemoryRuntime runtime, SimulatedContainer copy) : IFence
{
    public bool IsAlive => copy.State != CopyState.Gone;

    public async Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        await runtime.AtAsync("dump", cancellationToken);
        int count = copy.Memory.Length / PageRun.PageSize;
        await pages.OpenAsync(new PageSpace(PageSpaceKind.Process, 1), cancellationToken);
        await pages.WriteAsync(new PageRun(0x10000, (uint)count, 4), copy.Memory, cancellationToken);
        await runtime.AtAsync("dumping", cancellationToken);
        await pages.OpenAsync(new PageSpace(PageSpaceKind.SharedMemory, 9), cancellationToken);
        await pages.WriteAsync(new PageRun(0, 3, 2), default, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(copy.Root, "var/link_remap.1"), "made by the dump", cancellationToken);
        InMemoryImages.Write(imageDirectory, copy);
        await pages.CompleteAsync(cancellationToken);
        await runtime.AtAsync("dumped", cancellationToken);
        return new DumpSummary(TimeSpan.FromMilliseconds(1), count);
    }

    public IRemainingMemory? OpenRemaining() => null;

    public async Task<bool> ThawAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("thaw", cancellationToken);
        if (copy.State == CopyState.Gone)
            return false;
        copy.Become(CopyState.Running);
        await runtime.AtAsync("thawed", cancellationToken);
        return true;
    }

    public async Task DestroyAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("destroy", cancellationToken);
        if (copy.State == CopyState.Running)
            runtime.Machine.World.Complain("a running copy was destroyed");
        copy.Become(CopyState.Gone);
        await runtime.AtAsync("destroyed", cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A copy that exists and does not run.</summary>
internal sealed class InMemoryHeldContainer(InMemoryRuntime runtime, SimulatedContainer copy) : IHeldContainer
{
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("release", cancellationToken);
        copy.Become(CopyState.Running);
        await runtime.AfterAsync("released");
    }

    public async Task AbortAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("abort", cancellationToken);
        if (copy.State == CopyState.Held)
            copy.Become(CopyState.Gone);
    }

    public async ValueTask DisposeAsync()
    {
        await runtime.AtAsync("dispose");
        if (copy.State == CopyState.Held)
            copy.Become(CopyState.Gone);
    }
}
