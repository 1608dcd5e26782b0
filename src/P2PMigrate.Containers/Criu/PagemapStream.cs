using System.Globalization;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// A <c>pagemap-*.img</c> that is being written: runs, of which neighbours of the same kind become one entry. Disposed of before it is complete it is a part of a file.
/// </summary>
internal sealed class PagemapStream : IDisposable
{
    private const int BufferBytes = 1 << 16;

    private readonly PagemapEntry _entry = new();
    private readonly FileStream _image;
    private PageRun _pending;

    private PagemapStream(FileStream image) => _image = image;

    /// <summary>Begins the image of a space whose content is in <c>pages-N.img</c>.</summary>
    public static PagemapStream Create(string imageDirectory, PageSpace space, uint pagesId)
    {
        string prefix = space.Kind == PageSpaceKind.SharedMemory ? "pagemap-shmem-" : "pagemap-";
        string path = Path.Combine(imageDirectory, string.Create(CultureInfo.InvariantCulture, $"{prefix}{space.Id}.img"));
        var image = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
        ImageFile.WriteMagic(image, ImageFile.PagemapMagic);
        ImageFile.WriteRecord(image, new PagemapHead { PagesId = pagesId });
        return new PagemapStream(image);
    }

    /// <summary>Adds a run.</summary>
    public void Write(PageRun run)
    {
        if (Continues(run)) _pending = _pending with { Pages = _pending.Pages + run.Pages };
        else
        {
            WritePending();
            _pending = run;
        }
    }

    /// <summary>Writes what is left; all has reached the file.</summary>
    public void Complete()
    {
        WritePending();
        _image.Flush();
    }

    public void Dispose()
    {
        try
        {
            _image.Dispose();
        }
        catch (IOException)
        {
            // Complete() reports a full disk; here nobody needs the file any more.
        }
    }

    private bool Continues(PageRun run) =>
        _pending.Pages > 0 && run.Flags == _pending.Flags
        && run.Address == _pending.Address + ((ulong)_pending.Pages * PageRun.PageSize)
        && _pending.Pages <= uint.MaxValue - run.Pages;

    private void WritePending()
    {
        if (_pending.Pages == 0) return;
        // CRIU 4.2 takes the second count where it is; older ones know only the first. Both are always there.
        _entry.Vaddr = _pending.Address;
        _entry.CompatNrPages = _pending.Pages;
        _entry.NrPages = _pending.Pages;
        _entry.Flags = _pending.Flags;
        ImageFile.WriteRecord(_image, _entry);
        _pending = default;
    }
}
