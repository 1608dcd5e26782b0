using System.IO.MemoryMappedFiles;
using P2PMigrate.Containers.Criu;

namespace P2PMigrate.Containers.Lazy;

/// <summary>Pages of the images that are on this machine, all of which are mapped into our memory. One caller at a time.</summary>
internal sealed unsafe class ImagePages(string imageDirectory) : IPageSource, IDisposable
{
    private readonly Dictionary<ulong, List<StoredRun>> _runs = [];
    private readonly Dictionary<string, MappedFile> _files = [];

    /// <inheritdoc/>
    public MissingPages MissingOf(ulong image)
    {
        var missing = new MissingPages();
        foreach (StoredRun run in RunsOf(image)) missing.Add(run.Address, run.Address, run.Pages);
        return missing;
    }

    /// <inheritdoc/>
    public (nint Content, int Pages) Find(ulong image, ulong address, int pages)
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
        return (FileOf(run.File).At(run.Offset + within, found * (long)MissingPages.PageSize), found);
    }

    /// <summary>Opens what will be needed, ahead of need.</summary>
    public void Open(IEnumerable<ulong> images)
    {
        foreach (ulong image in images)
        {
            foreach (StoredRun run in RunsOf(image)) FileOf(run.File);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MappedFile file in _files.Values) file.Dispose();
    }

    private static ulong EndOf(StoredRun run) => run.Address + ((ulong)run.Pages * MissingPages.PageSize);

    private List<StoredRun> RunsOf(ulong image)
    {
        if (_runs.TryGetValue(image, out List<StoredRun>? runs)) return runs;
        return _runs[image] = [.. PagemapChain.Of(imageDirectory, image).Where(run => run.IsLazy)];
    }

    private MappedFile FileOf(string path)
    {
        if (!_files.TryGetValue(path, out MappedFile? file)) _files[path] = file = new MappedFile(path);
        return file;
    }

    private sealed class MappedFile : IDisposable
    {
        private readonly MemoryMappedFile _file;
        private readonly MemoryMappedViewAccessor _view;
        private readonly byte* _start;
        private readonly long _length;

        public MappedFile(string path)
        {
            _length = new FileInfo(path).Length;
            _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        }

        public nint At(long offset, long length) => offset + length <= _length ? (nint)(_start + offset) : throw new EndOfStreamException("An image is shorter than it says.");

        public void Dispose()
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
