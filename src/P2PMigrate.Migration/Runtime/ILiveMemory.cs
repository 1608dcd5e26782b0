namespace P2PMigrate.Migration.Runtime;

/// <summary>
/// Reads the memory of a container while it runs, without stopping it. What it finds is a guess at what a dump will hold: pages
/// may be torn or missing, processes may come and go. One caller.
/// </summary>
// spec: MEM-10, MEM-11
public interface ILiveMemory : IDisposable
{
    /// <summary>
    /// Reads once what memory there is and calls <paramref name="found"/> with it, on the calling thread, which belongs to this
    /// alone: its priority may be lowered. Never throws for what the container does meanwhile.
    /// </summary>
    void ReadPass(LivePagesHandler found, CancellationToken cancellationToken);

    /// <summary>Memory that a dump may hold and the last pass did not find, in bytes, as far as the system's own counts tell: swapped out, unreadable, too much to look up.</summary>
    // spec: MIG-83
    long UnseenBytes => 0;
}

/// <summary>Whole pages that lie one behind the other; the memory is the reader's and is good for the call only.</summary>
/// <param name="process">Whose they are: tells address spaces apart, from pass to pass.</param>
/// <param name="address">Where the first one lies.</param>
/// <param name="pages">Their content.</param>
public delegate void LivePagesHandler(int process, ulong address, ReadOnlySpan<byte> pages);
