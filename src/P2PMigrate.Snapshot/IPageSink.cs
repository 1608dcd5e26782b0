using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Snapshot;

/// <summary>
/// Where memory pages go, in the order in which they are dumped. At the source the sink sends them to the target; at the
/// target it writes them down. One caller at a time. A page space is opened once and gets its runs in address order.
/// </summary>
public interface IPageSink
{
    /// <summary>May a dump leave pages for later, and tell of such a run with the flag 2 alone and without content? They follow when the container that they belong to runs elsewhere.</summary>
    // spec: MEM-20
    bool TakesLater => false;

    /// <summary>Starts the pages of one space; the previous one is complete.</summary>
    ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken);

    /// <summary>
    /// Adds a run. <paramref name="pages"/> holds <c>run.Pages * 4096</c> bytes when the run is <see cref="PageRun.IsPresent"/>,
    /// else nothing; the sink may not keep the buffer after the call completes.
    /// </summary>
    ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken);

    /// <summary>
    /// Adds a run that is <see cref="PageRun.IsPresent"/> and whose pages <paramref name="store"/> contains from <paramref name="number"/> on; it is the same store in every call. A sink
    /// that cannot refer to them is given a copy.
    /// </summary>
    ValueTask WriteKeptAsync(PageRun run, PageStore store, ulong number, CancellationToken cancellationToken) => store.CopyToAsync(this, run, number, cancellationToken);

    /// <summary>No more spaces. Returns when every page is where it belongs (sent, or written).</summary>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>An address space that pages belong to: a process (by its pid inside the container) or a shared memory object.</summary>
public readonly record struct PageSpace(PageSpaceKind Kind, ulong Id);

/// <summary>What a <see cref="PageSpace"/> is.</summary>
public enum PageSpaceKind
{
    /// <summary>Private memory of a process.</summary>
    Process = 1,

    /// <summary>A shared memory object.</summary>
    SharedMemory = 2,
}

/// <summary>
/// Consecutive pages of 4 KiB from <paramref name="Address"/>. <paramref name="Flags"/> are the bits of CRIU's pagemap
/// (1 in parent, 2 lazy, 4 present), carried unchanged so that the target's images equal what CRIU would have written.
/// </summary>
public readonly record struct PageRun(ulong Address, uint Pages, uint Flags)
{
    /// <summary>Bytes in a page.</summary>
    public const int PageSize = 4096;

    /// <summary>Does content belong to this run?</summary>
    public bool IsPresent => (Flags & 4) != 0;
}
