using System.Runtime.InteropServices;

namespace P2PMigrate.Containers.Lazy;

/// <summary>What a <see cref="LateLetter"/> says.</summary>
internal enum LateLetterKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>To who gives pages: these have arrived.</summary>
    Arrived = 1,

    /// <summary>To who gives pages: some have arrived, of which it was not told.</summary>
    LookAround = 2,

    /// <summary>To who takes in pages: somebody waits for the first of these.</summary>
    Wanted = 3,
}

/// <summary>
/// Between the process that takes in pages from the peer and the one that gives them to the container. Letters can be lost: what has arrived is in files (<see cref="ArrivalFile"/>), and what is wanted is asked for again.
/// </summary>
// spec: MEM-23
[StructLayout(LayoutKind.Sequential)]
internal struct LateLetter
{
    /// <summary>The name of who takes in pages.</summary>
    public const string Taker = "wanted.socket";

    /// <summary>The name of who gives them.</summary>
    public const string Giver = "arrivals.socket";

    public LateLetterKind Kind;

    /// <summary>How many.</summary>
    public int Pages;

    /// <summary>Of which process of the images.</summary>
    public ulong Image;

    /// <summary>The first one's address when it was dumped.</summary>
    public ulong Address;
}
