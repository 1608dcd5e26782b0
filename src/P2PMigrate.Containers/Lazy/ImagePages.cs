using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>Pages of the images that are on this machine, or arrive there, all of which are mapped into our memory. One caller at a time.</summary>
internal sealed class ImagePages(string imageDirectory) : IPageSource, IDisposable
{
    private readonly Dictionary<ulong, List<StoredRun>> _runs = [];
    private readonly Dictionary<string, MappedFile> _files = [];
    private readonly HashSet<ulong> _awaited = [];

    /// <inheritdoc/>
    public MissingPages MissingOf(ulong image)
    {
        var missing = new MissingPages();
        foreach (StoredRun run in RunsOf(image)) missing.Add(run.Address, run.Address, run.Pages);
        return missing;
    }

    /// <inheritdoc/>
    public bool IsAwaited(ulong image)
    {
        _ = RunsOf(image);
        return _awaited.Contains(image);
    }

    /// <inheritdoc/>
    public FoundPages Find(ulong image, ulong address, int pages)
    {
        List<StoredRun> runs = RunsOf(image);
        int low = 0;
        for (int high = runs.Count; low < high;)
        {
            int middle = (low + high) / 2;
            if (EndOf(runs[middle]) <= address) low = middle + 1;
            else high = middle;
        }

        if (low == runs.Count || runs[low].Address > address) throw new InvalidDataException($"The images have no page {address:x} of process {image}.");
        StoredRun run = runs[low];
        long within = (long)(address - run.Address);
        int found = (int)Math.Min(pages, run.Pages - (within / (long)MissingPages.PageSize));
        if (run.IsAwaited && !IsThere(image, (run.Offset + within) / (long)MissingPages.PageSize, ref found)) return new FoundPages(0, found);
        return new FoundPages(FileOf(run.File).At(run.Offset + within, found * (long)MissingPages.PageSize), found);
    }

    /// <summary>Opens what will be needed, ahead of need.</summary>
    public void Open(IEnumerable<ulong> images)
    {
        foreach (ulong image in images)
        {
            foreach (StoredRun run in RunsOf(image)) FileOf(run.File);
            if (IsAwaited(image)) FileOf(ArrivalFile.MarksPathIn(imageDirectory, image));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MappedFile file in _files.Values) file.Dispose();
    }

    private static ulong EndOf(StoredRun run) => run.Address + ((ulong)run.Pages * MissingPages.PageSize);

    /// <summary>Has the page with this place arrived? Of those that follow it as many are counted as are like it.</summary>
    // spec: MEM-22
    private bool IsThere(ulong image, long page, ref int pages)
    {
        ReadOnlySpan<byte> marks = FileOf(ArrivalFile.MarksPathIn(imageDirectory, image)).Bytes(page, pages);
        bool isThere = marks[0] == ArrivalFile.There;
        int other = isThere ? marks.IndexOfAnyExcept(ArrivalFile.There) : marks.IndexOf(ArrivalFile.There);
        if (other > 0) pages = other;
        Interlocked.MemoryBarrier(); // a page is read after its mark
        return isThere;
    }

    private List<StoredRun> RunsOf(ulong image)
    {
        if (_runs.TryGetValue(image, out List<StoredRun>? runs)) return runs;
        runs = [.. PagemapChain.Of(imageDirectory, image).Where(run => run.IsLazy)];
        if (runs.Exists(run => run.IsAwaited)) _awaited.Add(image);
        return _runs[image] = runs;
    }

    private MappedFile FileOf(string path)
    {
        if (!_files.TryGetValue(path, out MappedFile? file)) _files[path] = file = new MappedFile(path);
        return file;
    }
}
