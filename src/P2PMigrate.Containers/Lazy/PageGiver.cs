using System.Diagnostics;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Gives pages to address spaces that lack them: to those who wait for one at once, with some of its neighbours, and whatever else in large pieces. A page is struck off only when the kernel has taken it, has
/// it already, or has no place for it and nothing more to say of that address space. One that has not arrived yet is asked for, and whoever wants it waits. One caller at a time.
/// </summary>
/// <param name="source">Where pages are.</param>
/// <param name="ask">Has the page that a process of the images had at an address sent for, if it can.</param>
/// <param name="counts">What becomes of them.</param>
// spec: MEM-42
internal sealed class PageGiver(IPageSource source, Action<ulong, ulong> ask, LazyCounts counts)
{
    /// <summary>Pages that come with the one that somebody waits for.</summary>
    public const int FaultPages = 16; // CONST-386

    /// <summary>Pages that are given at once, at most: nobody waits longer than that takes.</summary>
    public const int BatchPages = 256; // CONST-386

    private const int LooksMax = 1024; // then whoever waits is heard again

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
        if (outcome != Outcome.Absent) return;
        if (!space.Awaiting.Contains(address)) space.Awaiting.Add(address);
        Ask(space, address);
    }

    /// <summary>Those who could not be answered before are, now that the space has changed or pages have arrived, as far as they can be.</summary>
    public void Again(LazySpace space)
    {
        if (space.Waiting.Count > 0) Move(space, space.Waiting, Outcome.Absent, space.Awaiting);
        if (space.Awaiting.Count > 0) Move(space, space.Awaiting, Outcome.NotNow, space.Waiting);
    }

    /// <summary>What somebody waits for and has not arrived is asked for once more.</summary>
    // spec: MEM-23
    public void AskAgain(LazySpace space)
    {
        foreach (ulong address in space.Awaiting) Ask(space, address);
    }

    /// <summary>Pages of a process of the images have arrived: they are given next to this space, which lacks pages of it.</summary>
    public void Arrived(LazySpace space, ulong address, long pages)
    {
        if (space.HasMoved) space.PassedOver = 0;
        else _arrivals.Enqueue(new Arrival(space, address, address + ((ulong)pages * MissingPages.PageSize)));
    }

    /// <summary>
    /// Gives some of what nobody waits for: what arrived last, then to those that were restored, before those that were forked since, which often end soon. False when there is nothing that can be given now.
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
            if (!space.IsGone && space.Missing.Count > 0 && Push(space)) return true;
        }

        return false;
    }

    /// <summary>False when all of them have been given.</summary>
    private bool PushArrival(Arrival arrival)
    {
        LazySpace space = arrival.Space;
        if (space.IsGone || space.HasMoved)
        {
            space.PassedOver = 0;
            return false;
        }

        if (space.Missing.Next(arrival.Next) is not { } stretch || stretch.Start < arrival.Next || stretch.Start >= arrival.End) return false;
        (ulong cursor, arrival.Next) = (space.Cursor, stretch.Start);
        int pages = (int)Math.Min(Math.Min(stretch.Pages, BatchPages), (long)((arrival.End - stretch.Start) / MissingPages.PageSize));
        bool hasProgressed = Push(space, stretch, pages);
        arrival.Next = space.Cursor;
        space.Cursor = cursor;
        if (!hasProgressed) space.PassedOver = 0; // the space is changing: they are looked for with all others
        return hasProgressed;
    }

    private bool Push(LazySpace space)
    {
        for (int looks = 0; looks < LooksMax; looks++)
        {
            if (space.PassedOver >= space.Missing.Count || space.Missing.Next(space.Cursor) is not { } stretch) return false;
            FoundPages found = source.Find(space.Image, stretch.Source, (int)Math.Min(stretch.Pages, BatchPages));
            if (found.AreThere) return Push(space, stretch, (int)Math.Min(stretch.Pages, space.Batch));
            space.PassedOver += found.Pages;
            space.Cursor = stretch.Start + ((ulong)found.Pages * MissingPages.PageSize);
        }

        return true;
    }

    /// <summary>Gives the first pages of a stretch, the first of which is there; the cursor is behind them then.</summary>
    private bool Push(LazySpace space, Stretch stretch, int pages)
    {
        FoundPages found = source.Find(space.Image, stretch.Source, pages);
        space.Cursor = stretch.Start;
        if (!found.AreThere) return false;
        FaultAnswer answer = Give(space, stretch.Start, found, out long given);
        space.Cursor = stretch.Start + (ulong)given;
        space.PassedOver = 0;
        switch (answer)
        {
            case FaultAnswer.Done:
                space.Batch = Math.Min(space.Batch * 2, BatchPages);
                return true;
            case FaultAnswer.Nowhere when found.Pages > 1: // a mapping ends on the way
                space.Batch = found.Pages / 2;
                return given > 0 || Push(space, stretch, found.Pages / 2);
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

    private void Move(LazySpace space, List<ulong> from, Outcome other, List<ulong> to)
    {
        from.RemoveAll(address =>
        {
            Outcome outcome = Answer(space, address, FaultPages);
            if (outcome == other) to.Add(address);
            if (outcome == other && other == Outcome.Absent) Ask(space, address);
            return outcome == Outcome.Answered || outcome == other;
        });
    }

    private void Ask(LazySpace space, ulong address)
    {
        if (space.Missing.From(address) is { } stretch) ask(space.Image, stretch.Source);
    }

    private Outcome Answer(LazySpace space, ulong address, int pages)
    {
        if (space.IsGone) return Outcome.Answered;
        FaultAnswer answer;
        if (space.Missing.From(address) is { } stretch)
        {
            FoundPages found = source.Find(space.Image, stretch.Source, (int)Math.Min(stretch.Pages, pages));
            if (!found.AreThere) return Outcome.Absent;
            answer = Give(space, address, found, out long given);
            if (given > 0) space.Cursor = address + (ulong)given;
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
