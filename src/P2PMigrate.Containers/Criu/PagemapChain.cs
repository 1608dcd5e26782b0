using System.Globalization;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>Consecutive pages of an image, and where in which file their content is, or will be when <paramref name="IsAwaited"/> (<see cref="Lazy.ArrivalFile"/>).</summary>
internal readonly record struct StoredRun(ulong Address, long Pages, bool IsLazy, bool IsAwaited, string File, long Offset);

/// <summary>
/// The images of a process's memory at the target, with those that they refer to, read as CRIU reads them: each pagemap from front to back, for addresses that rise. What a restore is given is in our own
/// images, but they are as large as the peer wanted them.
/// </summary>
internal sealed class PagemapChain
{
    private const string ParentLink = "parent", Prefix = "pagemap-", SharedPrefix = "pagemap-shmem-", Suffix = ".img";

    private readonly string _directory;
    private readonly ulong _image;
    private readonly List<PageRun> _runs;
    private readonly string _path, _pages;
    private readonly uint _pagesId;
    private PagemapChain? _parent; // read when it is needed
    private int _entry;
    private long _position, _arrivalPosition;

    private PagemapChain(string directory, ulong image, bool isParent = false)
    {
        (_directory, _image) = (directory, image);
        _path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{image}{Suffix}"));
        if (!ImageFile.TryReadFile(_path, ImageFile.PagemapMagic, PagemapRecord.Parser, out List<PagemapRecord>? records) || records.Count == 0)
            throw new ContainerException($"The image {_path} is damaged. Start the migration again.");
        _pagesId = (uint)records[0].Vaddr;
        _pages = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"pages-{_pagesId}{Suffix}"));
        _runs = [.. records.Skip(1).Select(record => new PageRun(record.Vaddr, record.HasNrPages ? (uint)record.NrPages : record.CompatNrPages, record.Flags))];
        if (!isParent && !Rise(_runs)) throw new ContainerException($"The image {_path} does not make sense. Start the migration again.");
    }

    /// <summary>The processes that have memory there.</summary>
    public static IEnumerable<ulong> ProcessesIn(string directory) =>
        from path in Directory.EnumerateFiles(directory, $"{Prefix}*{Suffix}")
        let name = Path.GetFileName(path)
        where !name.StartsWith(SharedPrefix, StringComparison.Ordinal)
        select ulong.Parse(name.AsSpan()[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>Does the content of this run come when the container runs already? Then it is neither in these images nor in those that they refer to.</summary>
    // spec: MEM-20
    public static bool IsAwaited(PageRun run) => run.Flags == PagemapImage.LazyFlag;

    /// <summary>How many pages of a process come when the container runs already.</summary>
    public static long AwaitedPagesOf(string directory, ulong image) => new PagemapChain(directory, image)._runs.Where(IsAwaited).Sum(run => (long)run.Pages);

    /// <summary>How many pages of a process CRIU could restore later than others.</summary>
    public static long LazyPagesOf(string directory, ulong image) => new PagemapChain(directory, image)._runs.Where(IsLazy).Sum(run => (long)run.Pages);

    /// <summary>Where the content of a process's memory is, in the order of addresses.</summary>
    public static List<StoredRun> Of(string directory, ulong image)
    {
        var chain = new PagemapChain(directory, image);
        var stored = new List<StoredRun>();
        foreach (PageRun run in chain._runs) chain.Locate(run.Address, run.Address + ((ulong)run.Pages * PageRun.PageSize), IsLazy(run), stored);
        return stored;
    }

    /// <summary>Replaces the runs of a process by others in their place, with as many pages; what their content is does not change.</summary>
    public static void Rewrite(string directory, ulong image, Func<PageRun, IEnumerable<PageRun>> change)
    {
        var chain = new PagemapChain(directory, image);
        File.Delete(chain._path);
        using PagemapStream pagemap = PagemapStream.Create(directory, new PageSpace(PageSpaceKind.Process, image), chain._pagesId);
        foreach (PageRun run in chain._runs.SelectMany(change)) pagemap.Write(run);
        pagemap.Complete();
    }

    private static bool IsLazy(PageRun run) => (run.Flags & PagemapImage.LazyFlag) != 0;

    private static bool IsInParent(PageRun run) => (run.Flags & PagemapImage.ParentFlag) != 0;

    /// <summary>Entries that end at or below the address are passed over, for good.</summary>
    private void Locate(ulong start, ulong end, bool isLazy, List<StoredRun> stored)
    {
        while (start < end)
        {
            while (_entry < _runs.Count && EndOf(_runs[_entry]) <= start) Pass();
            if (_entry == _runs.Count || _runs[_entry].Address > start)
                throw new ContainerException($"The images in {_directory} lack a page of process {_image}. Start the migration again.");
            PageRun run = _runs[_entry];
            ulong until = Math.Min(end, EndOf(run));
            long pages = (long)((until - start) / PageRun.PageSize), within = (long)(start - run.Address);
            if (run.IsPresent) stored.Add(new StoredRun(start, pages, isLazy, IsAwaited: false, _pages, _position + within));
            else if (IsAwaited(run) && isLazy) stored.Add(new StoredRun(start, pages, isLazy, IsAwaited: true, Lazy.ArrivalFile.PathIn(_directory, _image), _arrivalPosition + within));
            else if (IsInParent(run) && Directory.Exists(Path.Combine(_directory, ParentLink))) Parent().Locate(start, until, isLazy, stored);
            else throw new ContainerException($"The images in {_directory} do not say where a page of process {_image} is. Start the migration again.");
            start = until;
        }
    }

    /// <summary>Whole pages, one run behind the other. Those of a parent are ours, and pass over others.</summary>
    private static bool Rise(List<PageRun> runs)
    {
        ulong next = 0;
        foreach (PageRun run in runs)
        {
            if (run.Address % PageRun.PageSize != 0 || run.Address < next || EndOf(run) < run.Address) return false;
            next = EndOf(run);
        }

        return true;
    }

    private static ulong EndOf(PageRun run) => run.Address + ((ulong)run.Pages * PageRun.PageSize);

    private PagemapChain Parent() => _parent ??= new PagemapChain(Path.Combine(_directory, ParentLink), _image, isParent: true);

    private void Pass()
    {
        if (_runs[_entry].IsPresent) _position += (long)_runs[_entry].Pages * PageRun.PageSize;
        if (IsAwaited(_runs[_entry])) _arrivalPosition += (long)_runs[_entry].Pages * PageRun.PageSize;
        _entry++;
    }
}
