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

    /// <summary>Addresses for which somebody waits and whose pages have not arrived.</summary>
    public List<ulong> Awaiting { get; } = [];

    /// <summary>Was memory of it moved? Then a page can be missing at another address than it had.</summary>
    public bool HasMoved { get; set; }

    /// <summary>Where the next pages are given that nobody asks for.</summary>
    public ulong Cursor { get; set; }

    /// <summary>How many pages were found one after the other that have not arrived. When they are as many as are missing, nothing can be given until some arrive.</summary>
    public long PassedOver { get; set; }

    /// <summary>How many of them at once.</summary>
    public int Batch { get; set; } = 1;

    /// <summary>A page that was found to be nowhere, once.</summary>
    public ulong? Nowhere { get; set; }

    /// <summary>Has it ended?</summary>
    public bool IsGone { get; set; }

    /// <summary>Is there nothing left to be done for it? Then its descriptor is closed.</summary>
    public bool IsClosed { get; set; }
}
