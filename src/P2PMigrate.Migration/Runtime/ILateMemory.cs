using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Runtime;

/// <summary>Memory of a dumped container that is still in its frozen processes at the source. Reads only.</summary>
// spec: MEM-21
public interface IRemainingMemory : IDisposable
{
    /// <summary>How much of it there is, in bytes.</summary>
    long Bytes { get; }

    /// <summary>
    /// Hands all of it to a sink, spaces and runs in the order of the dump, with content. One caller. Throws <see cref="ContainerException"/>, before anything wrong is handed over, when the container is not any more as it was dumped.
    /// </summary>
    Task DeliverAsync(IPageSink sink, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the page that a process had at this address and up to <paramref name="pages"/> in all that follow it side by side; returns how many. The same exceptions; also when that page was not left there. One caller, beside the other.
    /// </summary>
    int Read(ulong process, ulong address, int pages, Span<byte> content);
}

/// <summary>A page for which a running container waits: of which process, and where it was when it was dumped.</summary>
public readonly record struct WantedPage(ulong Process, ulong Address, int Pages);

/// <summary>Pages side by side that have not come.</summary>
public readonly record struct LackingRun(ulong Process, ulong Address, uint Pages);

/// <summary>Memory that arrives at the target for a container that has been restored and may run. Whoever was killed opens it again; what had arrived stays. It may be open more than once, also in several processes.</summary>
// spec: MEM-22, MEM-23
public interface ILateMemory : IAsyncDisposable
{
    /// <summary>
    /// Takes in pages in whatever order, and again. Each call gives them to the container. <see cref="IPageSink.CompleteAsync"/> throws when some are still lacking; whatever nobody waits for is a <see cref="SnapshotException"/>. One caller.
    /// </summary>
    IPageSink Pages { get; }

    /// <summary>How much was left for later, in bytes, come or not.</summary>
    long Bytes { get; }

    /// <summary>What has not come, process by process and in the order of addresses; where that would be more than <paramref name="most"/> runs, pages are among them that have.</summary>
    // spec: MIG-103
    IReadOnlyList<LackingRun> FindLacking(int most);

    /// <summary>Takes in pages that were asked for, beside the other.</summary>
    void Take(ulong process, ulong address, ReadOnlySpan<byte> pages);

    /// <summary>Waits until the container waits for a page. The same one may be named more than once. One caller; where it is open more than once, who began to wait last is told.</summary>
    ValueTask<WantedPage> WaitForWantedAsync(CancellationToken cancellationToken);
}
