using System.Globalization;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Images that kept pages are found in without being copied: directories <c>kept-1</c>, <c>kept-2</c> …, each the <c>parent</c> of the one before, whose <c>pages-1.img</c> all are the file of
/// the store. CRIU reads a pagemap and its pages from front to back, so that one directory holds runs whose addresses and numbers both rise; a page that is rewritten between rounds
/// has a later number than its neighbours and needs another directory. Pages of the file that a directory passes over are given to addresses of which nobody asks there. One caller.
/// </summary>
// spec: MEM-60, MEM-61
internal sealed class ParentImages(string imageDirectory)
{
    /// <summary>How many directories there are at most; what would need another one is copied.</summary>
    public const int LevelsMax = 16;

    /// <summary>How many entries stand for the pages between two runs at most; what would need more is copied.</summary>
    public const uint FillersMax = 64;

    private const uint PagesId = 1;
    private const string ParentLink = "parent";

    private readonly List<Placed> _placed = [];       // of the space, in the order of addresses
    private readonly List<ulong> _next = [];          // for each level that the space has: the number behind its last run
    private int _directories;
    private bool _isImpossible;

    /// <summary>
    /// Takes a run of the space, behind all others, unless its first pages have to be copied: returns how many of them.
    /// </summary>
    public uint Place(PageRun run, PageStore store, ulong number)
    {
        int level = LevelFor(number);
        if (level == LevelsMax || !TryMake(level, store)) return run.Pages;
        uint copied = CopiedOf(run, number - (level < _next.Count ? _next[level] : 0));
        if (copied == run.Pages) return copied;
        if (level == _next.Count) _next.Add(0);
        _next[level] = number + run.Pages;
        _placed.Add(new Placed(new PageRun(run.Address + ((ulong)copied * PageRun.PageSize), run.Pages - copied, PagemapImage.PresentFlag), number + copied, level));
        return copied;
    }

    /// <summary>The space is complete.</summary>
    public void Write(PageSpace space)
    {
        for (int level = 0; level < _next.Count; level++) Write(space, level);
        _placed.Clear();
        _next.Clear();
    }

    private static string NameOf(int level) => string.Create(CultureInfo.InvariantCulture, $"kept-{level + 1}");

    private string PathOf(int level) => level < 0 ? imageDirectory : Path.Combine(imageDirectory, NameOf(level));

    /// <summary>The one that has come closest to the number and not beyond, so that as few as possible are needed.</summary>
    private int LevelFor(ulong number)
    {
        int best = _next.Count;
        for (int level = 0; level < _next.Count; level++)
        {
            if (_next[level] <= number && (best == _next.Count || _next[level] > _next[best])) best = level;
        }

        return best;
    }

    private bool TryMake(int level, PageStore store)
    {
        if (level < _directories) return true;
        if (_isImpossible) return false;
        Directory.CreateDirectory(PathOf(level));
        _isImpossible = !store.TryLink(Path.Combine(PathOf(level), string.Create(CultureInfo.InvariantCulture, $"pages-{PagesId}.img")));
        if (_isImpossible) return false;
        File.CreateSymbolicLink(Path.Combine(PathOf(level - 1), ParentLink), level == 0 ? NameOf(level) : Path.Combine("..", NameOf(level)));
        _directories++;
        return true;
    }

    /// <summary>The run's first pages make room below the others for those that are passed over, if there is too little.</summary>
    private static uint CopiedOf(PageRun run, ulong gap)
    {
        ulong room = run.Address / PageRun.PageSize * FillersMax;
        if (gap <= room) return 0;
        ulong copied = (gap - room + FillersMax - 2) / (FillersMax - 1);
        return (uint)Math.Min(copied, run.Pages);
    }

    /// <summary>For CRIU to come to a page of a deeper level, each one above has to say that it is below.</summary>
    private void Write(PageSpace space, int level)
    {
        using PagemapStream pagemap = PagemapStream.Create(PathOf(level), space, PagesId);
        ulong next = 0;
        foreach (Placed placed in _placed)
        {
            if (placed.Level < level) continue;
            if (placed.Level > level)
            {
                pagemap.Write(placed.Run with { Flags = PagemapImage.ParentFlag });
                continue;
            }

            PassOver(pagemap, placed.Number - next, placed.Run.Address);
            pagemap.Write(placed.Run);
            next = placed.Number + placed.Run.Pages;
        }

        pagemap.Complete();
    }

    /// <summary>Entries that end where the next run begins: CRIU is past them before it is asked for that one.</summary>
    private static void PassOver(PagemapStream pagemap, ulong pages, ulong end)
    {
        while (pages > 0)
        {
            uint passed = (uint)Math.Min(Math.Min(pages, end / PageRun.PageSize), PageServerConversation.RunPagesMax);
            pagemap.Write(new PageRun(end - ((ulong)passed * PageRun.PageSize), passed, PagemapImage.PresentFlag));
            pages -= passed;
        }
    }

    private readonly record struct Placed(PageRun Run, ulong Number, int Level);
}
