using System.Globalization;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Pages of one process that arrive when it runs already. Each has its place in a file, in the order of the runs of its image that are awaited, and a byte of a second file that says that it is there, which is written when it
/// is. Both files have all their room before anything runs. Any number of threads.
/// </summary>
// spec: MEM-22
internal sealed class ArrivalFile : IDisposable
{
    /// <summary>The mark of a page that is there.</summary>
    public const byte There = 1;

    private readonly List<StoredRun> _runs;
    private readonly SafeFileHandle _pages, _marks;
    private readonly ulong _image;
    private readonly Lock _lock = new();

    private ArrivalFile(string imageDirectory, ulong image)
    {
        _image = image;
        _runs = [.. PagemapChain.Of(imageDirectory, image).Where(run => run.IsAwaited)];
        _pages = File.OpenHandle(PathIn(imageDirectory, image), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        _marks = File.OpenHandle(MarksPathIn(imageDirectory, image), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
    }

    /// <summary>Where the pages of a process are.</summary>
    public static string PathIn(string imageDirectory, ulong image) => Path.Combine(imageDirectory, string.Create(CultureInfo.InvariantCulture, $"arriving-{image}"));

    /// <summary>Where it is said which of them are there.</summary>
    public static string MarksPathIn(string imageDirectory, ulong image) => Path.Combine(imageDirectory, string.Create(CultureInfo.InvariantCulture, $"arrived-{image}"));

    /// <summary>The processes of which pages are still to arrive when they are restored.</summary>
    public static IReadOnlyList<ulong> AwaitedIn(string imageDirectory) =>
        [.. PagemapChain.ProcessesIn(imageDirectory).Where(image => PagemapChain.AwaitedPagesOf(imageDirectory, image) > 0).Order()];

    /// <summary>Makes room for all of them, of which none is there, unless that was done before. Throws <see cref="ContainerException"/> when the disk has none.</summary>
    public static void Prepare(string imageDirectory)
    {
        foreach (ulong image in AwaitedIn(imageDirectory))
        {
            long pages = PagemapChain.AwaitedPagesOf(imageDirectory, image);
            try
            {
                Make(PathIn(imageDirectory, image), pages * PageRun.PageSize);
                Make(MarksPathIn(imageDirectory, image), pages);
            }
            catch (IOException full)
            {
                throw new ContainerException(
                    string.Create(CultureInfo.InvariantCulture, $"There is no room in {imageDirectory} for {pages * PageRun.PageSize >> 20} MiB of memory that is to follow: {full.Message}"), inner: full);
            }
        }
    }

    /// <summary>Opens what <see cref="Prepare"/> has made.</summary>
    public static ArrivalFile Open(string imageDirectory, ulong image) => new(imageDirectory, image);

    /// <summary>Writes pages and marks them. Throws <see cref="SnapshotException"/> when nobody waits for one of them.</summary>
    public void Write(ulong address, ReadOnlySpan<byte> pages)
    {
        while (!pages.IsEmpty)
        {
            (long position, long room) = PlaceOf(address);
            ReadOnlySpan<byte> here = pages[..(int)Math.Min(pages.Length, room)];
            WriteAt(position, here);
            address += (ulong)here.Length;
            pages = pages[here.Length..];
        }
    }

    /// <summary>How many pages are not there yet.</summary>
    public long CountLacking()
    {
        long lacking = 0;
        byte[] marks = new byte[1 << 16];
        for (long position = 0; ;)
        {
            int read = RandomAccess.Read(_marks, marks, position);
            if (read == 0) return lacking;
            lacking += read - marks.AsSpan(0, read).Count(There);
            position += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pages.Dispose();
        _marks.Dispose();
    }

    /// <summary>It has its name when it has its room.</summary>
    private static void Make(string path, long length)
    {
        if (File.Exists(path)) return;
        string draft = path + ".new";
        using (SafeFileHandle file = File.OpenHandle(draft, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, preallocationSize: length))
            RandomAccess.SetLength(file, length);
        File.Move(draft, path);
    }

    /// <summary>What is marked is not written again: somebody may be reading it.</summary>
    private void WriteAt(long position, ReadOnlySpan<byte> pages)
    {
        long first = position / PageRun.PageSize;
        int count = pages.Length / PageRun.PageSize;
        Span<byte> marks = count <= 1024 ? stackalloc byte[count] : new byte[count];
        lock (_lock)
        {
            _ = RandomAccess.Read(_marks, marks, first);
            for (int page = 0; page < count;)
            {
                int run = marks[page..].IndexOfAnyExcept(marks[page]);
                run = run < 0 ? count - page : run;
                if (marks[page] != There)
                    RandomAccess.Write(_pages, pages.Slice(page * PageRun.PageSize, run * PageRun.PageSize), position + (page * (long)PageRun.PageSize));
                page += run;
            }

            marks.Fill(There);
            RandomAccess.Write(_marks, marks, first);
        }
    }

    /// <summary>Where a page belongs, and how many bytes belong there from it on.</summary>
    private (long Position, long Room) PlaceOf(ulong address)
    {
        int low = 0;
        for (int high = _runs.Count; low < high;)
        {
            int middle = (low + high) / 2;
            if (_runs[middle].Address + ((ulong)_runs[middle].Pages * PageRun.PageSize) <= address) low = middle + 1;
            else high = middle;
        }

        if (low == _runs.Count || _runs[low].Address > address || address % PageRun.PageSize != 0)
            throw new SnapshotException(string.Create(CultureInfo.InvariantCulture, $"The source sent a page of process {_image} for which nobody waits (0x{address:x})."));
        long within = (long)(address - _runs[low].Address);
        return (_runs[low].Offset + within, (_runs[low].Pages * PageRun.PageSize) - within);
    }
}
