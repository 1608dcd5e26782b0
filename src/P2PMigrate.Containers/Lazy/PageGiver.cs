using System.Diagnostics;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Gives pages to address spaces that lack them: to those who wait for one at once, with some of its neighbours, and whatever else in large pieces. A page is struck off only when the kernel has taken it, has
/// it already, or has no place for it and nothing more to say of that address space. One caller at a time.
/// </summary>
// spec: MEM-42
internal sealed class PageGiver(IPageSource source, LazyCounts counts)
{
    /// <summary>Pages that come with the one that somebody waits for.</summary>
    public const int FaultPages = 16; // CONST-386

    /// <summary>Pages that are given at once, at most: nobody waits longer than that takes.</summary>
    public const int BatchPages = 256; // CONST-386

    /// <summary>Somebody waits for a page.</summary>
    public void Fault(LazySpace space, ulong address)
    {
        counts.Faults++;
        address &= ~(MissingPages.PageSize - 1);
        if (!TryAnswer(space, address, FaultPages)) space.Waiting.Add(address);
    }

    /// <summary>Those who could not be answered before are, now that the space has changed, as far as it has.</summary>
    public void Again(LazySpace space)
    {
        if (space.Waiting.Count > 0) space.Waiting.RemoveAll(address => TryAnswer(space, address, FaultPages));
    }

    /// <summary>Gives some of what nobody waits for. False when there is nothing that can be given now.</summary>
    public bool Push(LazySpace space)
    {
        if (space.Missing.Next(space.Cursor) is not { } stretch) return false;
        int pages = (int)Math.Min(stretch.Pages, space.Batch);
        (nint content, pages) = source.Find(space.Image, stretch.Source, pages);
        FaultAnswer answer = Give(space, stretch.Start, content, pages, out long given);
        space.Cursor = stretch.Start + (ulong)given;
        switch (answer)
        {
            case FaultAnswer.Done:
                space.Batch = Math.Min(space.Batch * 2, BatchPages);
                return true;
            case FaultAnswer.Nowhere when pages > 1: // a mapping ends on the way
                space.Batch = pages / 2;
                return true;
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

    private bool TryAnswer(LazySpace space, ulong address, int pages)
    {
        if (space.IsGone) return true;
        FaultAnswer answer;
        if (space.Missing.From(address) is { } stretch)
        {
            (nint content, pages) = source.Find(space.Image, stretch.Source, (int)Math.Min(stretch.Pages, pages));
            answer = Give(space, address, content, pages, out long given);
            if (given > 0) space.Cursor = address + (ulong)given;
            if (given > 0) return true;
            if (answer == FaultAnswer.Nowhere && pages > 1) return TryAnswer(space, address, pages: 1);
            if (answer == FaultAnswer.There) counts.There += space.Missing.Drop(address, address + MissingPages.PageSize);
        }
        else
        {
            answer = Userfault.Zero(space.Descriptor, address, (long)MissingPages.PageSize);
            if (answer == FaultAnswer.Done) counts.Zeros++;
        }

        if (answer is FaultAnswer.Changing or FaultAnswer.NoMemory) return false;
        if (answer == FaultAnswer.Gone) space.IsGone = true;
        else if (answer != FaultAnswer.Done) Userfault.Rouse(space.Descriptor, address, MissingPages.PageSize);
        return true;
    }

    private FaultAnswer Give(LazySpace space, ulong address, nint content, int pages, out long given)
    {
        FaultAnswer answer = Userfault.Copy(space.Descriptor, address, content, pages * (long)MissingPages.PageSize, out given);
        counts.Given += space.Missing.Drop(address, address + (ulong)given);
        if (given > 0) space.Nowhere = null;
        if (answer == FaultAnswer.Gone) space.IsGone = true;
        Debug.Assert(given % (long)MissingPages.PageSize == 0, "pages are given whole");
        return answer;
    }
}
