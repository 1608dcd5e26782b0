namespace P2PMigrate.Containers.Lazy;

/// <summary>An address space that lacks pages: a restored process, or a child that one has forked since.</summary>
internal sealed class LazySpace(int number, ulong image, int descriptor, MissingPages missing)
{
    /// <summary>Its number, in the order of coming.</summary>
    public int Number => number;

    /// <summary>The process of the images whose pages these are.</summary>
    public ulong Image => image;

    /// <summary>Its userfaultfd.</summary>
    public int Descriptor => descriptor;

    /// <summary>What it lacks.</summary>
    public MissingPages Missing => missing;

    /// <summary>Addresses for which somebody waits and that could not be answered yet, as the space is changing.</summary>
    public List<ulong> Waiting { get; } = [];

    /// <summary>Those for which somebody waits and that have not arrived.</summary>
    public List<AwaitedPage> Awaiting { get; } = [];

    /// <summary>Was memory of it moved that lacked pages? Then one can be missing at another address than it had.</summary>
    public bool HasMoved { get; set; }

    /// <summary>Where the next pages are given that nobody asks for. Where some are awaited: up to where it was looked for those that have arrived; null when all of it was.</summary>
    public ulong? Cursor { get; set; } = 0;

    /// <summary>Has something arrived, perhaps, where it was looked already?</summary>
    public bool IsLookedThroughAgain { get; set; }

    /// <summary>How many of them at once.</summary>
    public int Batch { get; set; } = 1;

    /// <summary>A page that was found to be nowhere, once.</summary>
    public ulong? Nowhere { get; set; }

    /// <summary>Has it ended?</summary>
    public bool IsGone { get; set; }
}

/// <summary>A page that somebody waits for and that has not arrived.</summary>
internal sealed class AwaitedPage(ulong address)
{
    /// <summary>Where it is missing.</summary>
    public ulong Address => address;

    /// <summary>Was it asked for since the last look?</summary>
    public bool IsAskedFor { get; set; }
}
