using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>A frozen copy. Dumping makes a file in the container's tree, as CRIU does for unlinked names.</summary>
internal sealed class InMemoryFence(InMemoryRuntime runtime, SimulatedContainer copy, string workDirectory) : IFence
{
    public const uint LazyFlag = 2, PresentFlag = 4;

    private const int LeftRunPages = 50;
    private const string RemainingFile = "remaining";

    public bool IsAlive => copy.State != CopyState.Gone;

    public async Task<DumpSummary> DumpAsync(string imageDirectory, IPageSink pages, CancellationToken cancellationToken)
    {
        await runtime.AtAsync("dump", cancellationToken);
        int count = copy.Memory.Length / PageRun.PageSize;
        IReadOnlyList<PageRun> runs = pages.TakesLater ? RunsWithLeftOnes(count) : [new PageRun(SimulatedContainer.Address, (uint)count, PresentFlag)];
        await pages.OpenAsync(new PageSpace(PageSpaceKind.Process, 1), cancellationToken);
        foreach (PageRun run in runs)
            await pages.WriteAsync(run, run.IsPresent ? copy.Memory.AsMemory(OffsetOf(run.Address), (int)run.Pages * PageRun.PageSize) : default, cancellationToken);
        await runtime.AtAsync("dumping", cancellationToken);
        await pages.OpenAsync(new PageSpace(PageSpaceKind.SharedMemory, 9), cancellationToken);
        await pages.WriteAsync(new PageRun(0, 3, LazyFlag), default, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(copy.Root, "var/link_remap.1"), "made by the dump", cancellationToken);
        InMemoryImages.Write(imageDirectory, copy);
        NoteRemaining([.. runs.Where(run => !run.IsPresent)]);
        await pages.CompleteAsync(cancellationToken);
        await runtime.AtAsync("dumped", cancellationToken);
        return new DumpSummary(TimeSpan.FromMilliseconds(1), count);
    }

    public IRemainingMemory? OpenRemaining()
    {
        string path = Path.Combine(workDirectory, RemainingFile);
        if (!File.Exists(path))
            return null;
        if (!IsAlive)
            throw new ContainerException($"The memory of {copy.Name} that was left here is gone with its processes.");
        return new InMemoryRemainingMemory(runtime, copy, int.Parse(File.ReadAllText(path + ".mark")), InMemoryImages.ReadRuns(path));
    }

    public static int OffsetOf(ulong address) => (int)(address - SimulatedContainer.Address);

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

    /// <summary>Two runs of three are left, the first page is not: the container counts in it.</summary>
    private static IReadOnlyList<PageRun> RunsWithLeftOnes(int count) =>
    [
        .. Enumerable.Range(0, (count + LeftRunPages - 1) / LeftRunPages).Select(run => new PageRun(
            SimulatedContainer.Address + (ulong)(run * LeftRunPages * PageRun.PageSize), (uint)Math.Min(LeftRunPages, count - (run * LeftRunPages)), run % 3 == 0 ? PresentFlag : LazyFlag)),
    ];

    // spec: MEM-21
    private void NoteRemaining(IReadOnlyList<PageRun> left)
    {
        if (left.Count == 0)
            return;
        string path = Path.Combine(workDirectory, RemainingFile);
        File.WriteAllText(path + ".mark", $"{copy.Runs}");
        File.WriteAllLines(path, left.Select(run => $"{run.Address} {run.Pages}"));
    }
}

/// <summary>A copy that exists and does not run.</summary>
internal sealed class InMemoryHeldContainer(InMemoryRuntime runtime, SimulatedContainer copy) : IHeldContainer
{
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("release", cancellationToken);
        copy.Become(CopyState.Running);
        _ = copy.Arrival?.TouchAsync(runtime.TouchedWhenRunning, CancellationToken.None); // it is the container that waits
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
