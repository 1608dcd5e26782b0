using System.Diagnostics;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Gives pages to address spaces that lack them: to those who wait for one at once, with some of its neighbours, and whatever else in large pieces. A page is struck off only when the kernel has taken it, has
/// it already, or has no place for it and nothing more to say of that address space. One that has not arrived yet is asked for, and whoever wants it waits. One caller at a time.
/// </summary>
/// <param name="source">Where pages are.</param>
/// <param name="ask">Has the page that a process of the images had at an address sent for; false when it could not be said now.</param>
/// <param name="counts">What becomes of them.</param>
// spec: MEM-42
internal sealed class PageGiver(IPageSource source, Func<ulong, ulong, bool> ask, LazyCounts counts)
{
    /// <summary>Pages that come with the one that somebody waits for.</summary>
    public const int FaultPages = 16; // CONST-386

    /// <summary>Pages that are given at once, at most: nobody waits longer than that takes.</summary>
    public const int BatchPages = 256; // CONST-386

    private const int LooksMax = 16, LookPages = 1 << 16; // CONST-382: that takes no longer
    private const int ArrivalsMax = 4096;                 // CONST-382

    private readonly Queue<Arrival> _arrivals = new();

    /// <summary>What has become of somebody who waits.</summary>
    private enum Outcome
    {
        /// <summary>It goes on, or is asked about again.</summary>
        Answered = 0,

        /// <summary>The address space is changing, or there is no memory now.</summary>
        NotNow = 1,

        /// <summary>The page has not arrived.</summary>
        Absent = 2,
    }

    /// <summary>Somebody waits for a page.</summary>
    public void Fault(LazySpace space, ulong address)
    {
        counts.Faults++;
        address &= ~(MissingPages.PageSize - 1);
        Outcome outcome = Answer(space, address, FaultPages);
        if (outcome == Outcome.NotNow) space.Waiting.Add(address);
        if (outcome == Outcome.Absent) Await(space, address);
    }

    /// <summary>Those who could not be answered before are, now that the space has changed or pages have arrived, as far as they can be.</summary>
    public void Again(LazySpace space)
    {
        if (space.Waiting.Count > 0)
        {
            space.Waiting.RemoveAll(address =>
            {
                Outcome outcome = Answer(space, address, FaultPages);
                if (outcome == Outcome.Absent) Await(space, address);
                return outcome != Outcome.NotNow;
            });
        }

        if (space.Awaiting.Count > 0)
        {
            space.Awaiting.RemoveAll(page =>
            {
                Outcome outcome = Answer(space, page.Address, FaultPages);
                if (outcome == Outcome.NotNow) space.Waiting.Add(page.Address);
                if (outcome == Outcome.Absent && !page.IsAskedFor) Ask(space, page);
                return outcome != Outcome.Absent;
            });
        }
    }

    /// <summary>Pages may have arrived of which nothing was heard: they are looked for, what is waited for is asked for once more, and a space that has ended is found out.</summary>
    // spec: MEM-23
    public void Look(LazySpace space)
    {
        if (space.IsGone || !source.IsAwaited(space.Image) || space.Missing.Next(0) is not { } first) return;
        space.IsLookedThroughAgain = true;
        foreach (AwaitedPage page in space.Awaiting) page.IsAskedFor = false;
        space.IsGone = Userfault.HasEnded(space.Descriptor, first.Start, (long)MissingPages.PageSize);
    }

    /// <summary>Pages of a process of the images have arrived: they are given to this space, which lacks pages of it. False when they are to be looked for.</summary>
    public bool TryExpect(LazySpace space, ulong address, long pages)
    {
        if (space.HasMoved || _arrivals.Count >= ArrivalsMax) return false;
        _arrivals.Enqueue(new Arrival(space, address, address + ((ulong)pages * MissingPages.PageSize)));
        return true;
    }

    /// <summary>
    /// Gives some of what nobody waits for: what has arrived, then to those that were restored, before those that were forked since, which often end soon. False when there is nothing that can be given now.
    /// </summary>
    public bool Push(IReadOnlyList<LazySpace> spaces)
    {
        while (_arrivals.TryPeek(out Arrival? arrival))
        {
            if (PushArrival(arrival)) return true;
            _arrivals.Dequeue();
        }

        foreach (LazySpace space in spaces)
        {
            if (space.IsGone || space.Missing.Count == 0) continue;
            if (source.IsAwaited(space.Image) ? PushFound(space) : PushNext(space)) return true;
        }

        return false;
    }

    /// <summary>Is there something to give to this space that could not be given just now, because it is changing?</summary>
    public bool IsHeldUp(LazySpace space) => space.Missing.Count > 0 && (!source.IsAwaited(space.Image) || space.Cursor is not null || space.IsLookedThroughAgain);

    /// <summary>Of pages that have arrived; false when all of them have been given.</summary>
    private bool PushArrival(Arrival arrival)
    {
        LazySpace space = arrival.Space;
        if (space.IsGone) return false;
        bool isThere = !space.HasMoved && space.Missing.Next(arrival.Next) is { } next && next.Start >= arrival.Next && next.Start < arrival.End;
        if (!isThere)
        {
            space.IsLookedThroughAgain |= space.HasMoved;
            return false;
        }

        Stretch stretch = space.Missing.Next(arrival.Next)!.Value;
        long pages = Math.Min(Math.Min(stretch.Pages, BatchPages), (long)((arrival.End - stretch.Start) / MissingPages.PageSize));
        bool hasProgressed = Push(space, stretch, (int)pages, out ulong behind);
        arrival.Next = behind;
        space.IsLookedThroughAgain |= !hasProgressed; // it is changing
        return hasProgressed;
    }

    /// <summary>Of a space of which all pages are there.</summary>
    private bool PushNext(LazySpace space)
    {
        if (space.Missing.Next(space.Cursor ?? 0) is not { } stretch) return false;
        bool hasProgressed = Push(space, stretch, (int)Math.Min(stretch.Pages, space.Batch), out ulong behind);
        space.Cursor = behind;
        return hasProgressed;
    }

    /// <summary>Of a space of which pages have not arrived: it is looked through from its beginning to its end for some that have.</summary>
    private bool PushFound(LazySpace space)
    {
        for (int looks = 0; looks < LooksMax; looks++)
        {
            if (space.Cursor is null && !space.IsLookedThroughAgain) return false;
            if (space.Cursor is null) (space.Cursor, space.IsLookedThroughAgain) = (0, false);
            if (space.Missing.Next(space.Cursor.Value) is not { } stretch || stretch.Start < space.Cursor)
            {
                space.Cursor = null;
                continue;
            }

            FoundPages found = source.Find(space.Image, stretch.Source, (int)Math.Min(stretch.Pages, LookPages));
            if (!found.AreThere)
            {
                space.Cursor = stretch.Start + ((ulong)found.Pages * MissingPages.PageSize);
                continue;
            }

            bool hasProgressed = Push(space, stretch, (int)Math.Min(stretch.Pages, space.Batch), out ulong behind);
            space.Cursor = behind;
            return hasProgressed;
        }

        return true;
    }

    /// <summary>Gives the first pages of a stretch, as far as they are there.</summary>
    private bool Push(LazySpace space, Stretch stretch, int pages, out ulong behind)
    {
        FoundPages found = source.Find(space.Image, stretch.Source, pages);
        behind = stretch.Start;
        if (!found.AreThere) return false;
        FaultAnswer answer = Give(space, stretch.Start, found, out long given);
        behind = stretch.Start + (ulong)given;
        switch (answer)
        {
            case FaultAnswer.Done:
                space.Batch = Math.Min(space.Batch * 2, BatchPages);
                return true;
            case FaultAnswer.Nowhere when found.Pages > 1: // a mapping ends on the way
                space.Batch = found.Pages / 2;
                return Push(space, stretch, space.Batch, out behind);
            case FaultAnswer.Nowhere:
                return Lose(space, stretch.Start);
            case FaultAnswer.There:
                counts.There += space.Missing.Drop(stretch.Start, stretch.Start + MissingPages.PageSize);
                return true;
            default:
                return given > 0;
        }
    }

    /// <summary>
    /// There is no memory at this address, of which the kernel has said nothing. It may be about to; but before it takes memory away it refuses pages (<see cref="FaultAnswer.Changing"/>) until that was read. So when it
    /// does not refuse, and says twice that nothing is there, nothing will be.
    /// </summary>
    private bool Lose(LazySpace space, ulong address)
    {
        if (space.Nowhere == address) counts.Nowhere += space.Missing.Drop(address, address + MissingPages.PageSize);
        space.Nowhere = address;
        return true;
    }

    private void Await(LazySpace space, ulong address)
    {
        if (space.Awaiting.Exists(page => page.Address == address)) return;
        var page = new AwaitedPage(address);
        space.Awaiting.Add(page);
        Ask(space, page);
    }

    private void Ask(LazySpace space, AwaitedPage page) =>
        page.IsAskedFor = space.Missing.From(page.Address) is not { } stretch || ask(space.Image, stretch.Source);

    private Outcome Answer(LazySpace space, ulong address, int pages)
    {
        if (space.IsGone) return Outcome.Answered;
        FaultAnswer answer;
        if (space.Missing.From(address) is { } stretch)
        {
            FoundPages found = source.Find(space.Image, stretch.Source, (int)Math.Min(stretch.Pages, pages));
            if (!found.AreThere) return Outcome.Absent;
            answer = Give(space, address, found, out long given);
            if (given > 0 && !source.IsAwaited(space.Image)) space.Cursor = address + (ulong)given;
            if (given > 0) return Outcome.Answered;
            if (answer == FaultAnswer.Nowhere && found.Pages > 1) return Answer(space, address, pages: 1);
            if (answer == FaultAnswer.There) counts.There += space.Missing.Drop(address, address + MissingPages.PageSize);
        }
        else
        {
            answer = Userfault.Zero(space.Descriptor, address, (long)MissingPages.PageSize);
            if (answer == FaultAnswer.Done) counts.Zeros++;
        }

        if (answer is FaultAnswer.Changing or FaultAnswer.NoMemory) return Outcome.NotNow;
        if (answer == FaultAnswer.Gone) space.IsGone = true;
        else if (answer != FaultAnswer.Done) Userfault.Rouse(space.Descriptor, address, MissingPages.PageSize);
        return Outcome.Answered;
    }

    private FaultAnswer Give(LazySpace space, ulong address, FoundPages found, out long given)
    {
        FaultAnswer answer = Userfault.Copy(space.Descriptor, address, found.Content, found.Pages * (long)MissingPages.PageSize, out given);
        counts.Given += space.Missing.Drop(address, address + (ulong)given);
        if (given > 0) space.Nowhere = null;
        if (answer == FaultAnswer.Gone) space.IsGone = true;
        Debug.Assert(given % (long)MissingPages.PageSize == 0, "pages are given whole");
        return answer;
    }

    /// <summary>Pages that have arrived, of which those from <see cref="Next"/> on are given next.</summary>
    private sealed class Arrival(LazySpace space, ulong next, ulong end)
    {
        public LazySpace Space => space;

        public ulong Next { get; set; } = next;

        public ulong End => end;
    }
}
