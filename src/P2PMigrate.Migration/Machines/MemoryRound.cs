using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Machines;

/// <summary>What a live pass over memory was like.</summary>
/// <param name="Pages">Pages that were there.</param>
/// <param name="NewPages">Pages that the target lacked, and now keeps.</param>
/// <param name="ChangedPages">Pages that were not what they had been at the same address one pass before.</param>
/// <param name="WireBytes">What was given to the tunnel.</param>
/// <param name="Elapsed">From the beginning of the pass until the target kept everything.</param>
/// <param name="Interval">From the beginning of the pass before to the beginning of this one; null for the first.</param>
/// <param name="IsFull">Will the target keep no further page?</param>
internal sealed record MemoryRound(
    long Pages, long NewPages, long ChangedPages, long WireBytes, TimeSpan Elapsed, TimeSpan? Interval, bool IsFull)
{
    /// <summary>Bytes that must be there beside them.</summary>
    public long UnseenBytes { get; init; }

    /// <summary>Did the pass find anything out?</summary>
    public bool IsTelling => Pages > 0 || UnseenBytes > 0;

    /// <summary>Bytes of the pages that were there.</summary>
    public long Bytes => Pages * PageRun.PageSize;

    /// <summary>Bytes of the pages that were sent.</summary>
    public long NewBytes => NewPages * PageRun.PageSize;
}

/// <summary>What a live round did, for the decision whether there is another.</summary>
/// <param name="RootfsBytes">Content of the root file system that the target lacked.</param>
/// <param name="Memory">The pass over memory, if there was one.</param>
internal readonly record struct RoundFigures(long RootfsBytes, MemoryRound? Memory = null);
