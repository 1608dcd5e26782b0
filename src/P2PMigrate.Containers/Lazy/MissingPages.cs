namespace P2PMigrate.Containers.Lazy;

/// <summary>Pages that lie side by side and come from side by side. <paramref name="Source"/> is where the first one was when it was dumped.</summary>
internal readonly record struct Stretch(ulong Start, ulong End, ulong Source)
{
    /// <summary>How many.</summary>
    public long Pages => (long)((End - Start) / MissingPages.PageSize);

    /// <summary>Where the page was that belongs at this address.</summary>
    public ulong SourceOf(ulong address) => Source + (address - Start);
}

/// <summary>
/// The pages that one address space still lacks: at which address each belongs now, and where it was when it was dumped. Bookkeeping alone; every address and length is a multiple of the page
/// size. One caller at a time.
/// </summary>
// spec: MEM-43
internal sealed class MissingPages
{
    /// <summary>Bytes in a page.</summary>
    public const ulong PageSize = 4096;

    private readonly SortedSet<Stretch> _stretches = new(Comparer<Stretch>.Create((left, right) => left.Start.CompareTo(right.Start)));

    /// <summary>How many pages.</summary>
    public long Count { get; private set; }

    /// <summary>Nothing is missing here yet: pages from <paramref name="address"/> on are, from now on.</summary>
    public void Add(ulong address, ulong source, long pages) => Insert(new Stretch(address, address + ((ulong)pages * PageSize), source));

    /// <summary>The page at this address and those that follow it without a gap; null when that one is not missing.</summary>
    public Stretch? From(ulong address) => Holding(address) is { } found ? found with { Start = address, Source = found.SourceOf(address) } : null;

    /// <summary>The first pages at this address or behind it, or of all, when nothing is behind; null when nothing is missing.</summary>
    public Stretch? Next(ulong address)
    {
        if (From(address) is { } here) return here;
        if (_stretches.Count == 0) return null;
        Stretch last = _stretches.Max;
        return last.Start < address ? _stretches.Min : _stretches.GetViewBetween(new Stretch(address, 0, 0), last).Min;
    }

    /// <summary>These addresses lack nothing any more, for whatever reason; returns how many pages they did lack.</summary>
    public long Drop(ulong start, ulong end)
    {
        long before = Count;
        if (start >= end) return 0;
        if (Holding(start) is { } first && first.Start < start)
        {
            Remove(first);
            Insert(first with { End = start });
            Insert(new Stretch(start, first.End, first.SourceOf(start)));
        }

        while (FirstIn(start, end) is { } stretch)
        {
            Remove(stretch);
            if (stretch.End > end) Insert(new Stretch(end, stretch.End, stretch.SourceOf(end)));
        }

        return before - Count;
    }

    /// <summary>Memory has moved, with what it lacks, over whatever was there. Returns whether it lacked anything.</summary>
    public bool Move(ulong from, ulong to, ulong length)
    {
        var moved = new List<Stretch>();
        for (ulong at = from; at < from + length;)
        {
            if ((Holding(at) ?? FirstIn(at, from + length)) is not { } stretch) break;
            ulong start = Math.Max(stretch.Start, from), end = Math.Min(stretch.End, from + length);
            moved.Add(new Stretch(start - from + to, end - from + to, stretch.SourceOf(start)));
            at = end;
        }

        Drop(from, from + length);
        Drop(to, to + length);
        foreach (Stretch stretch in moved) Insert(stretch);
        return moved.Count > 0;
    }

    /// <summary>As many missing pages, in another address space that was made of this one.</summary>
    public MissingPages Copy()
    {
        var copy = new MissingPages();
        foreach (Stretch stretch in _stretches) copy.Insert(stretch);
        return copy;
    }

    /// <summary>The one that has this address in it.</summary>
    private Stretch? Holding(ulong address)
    {
        if (_stretches.Count == 0) return null;
        Stretch first = _stretches.Min;
        if (first.Start > address) return null;
        Stretch before = _stretches.GetViewBetween(first, new Stretch(address, 0, 0)).Max;
        return before.End > address ? before : null;
    }

    private Stretch? FirstIn(ulong start, ulong end)
    {
        SortedSet<Stretch> within = _stretches.GetViewBetween(new Stretch(start, 0, 0), new Stretch(end - 1, 0, 0));
        Stretch first = within.Min; // the default when there is none
        return first.End > first.Start ? first : null;
    }

    private void Insert(Stretch stretch)
    {
        _stretches.Add(stretch);
        Count += stretch.Pages;
    }

    private void Remove(Stretch stretch)
    {
        _stretches.Remove(stretch);
        Count -= stretch.Pages;
    }
}
