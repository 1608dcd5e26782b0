using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Pages of one process that arrive when it runs already. Each has its place in a file, in the order of the runs of its image that are awaited, and a byte of a second file that says that it is there, which is written when it
/// is. Both files have all their room before anything runs. Any number of threads, and of these: two that write one page at once write the same, for nothing runs where it comes from (MEM-21), and whoever reads it sees no difference.
/// </summary>
// spec: MEM-22
internal sealed class ArrivalFile : IDisposable
{
    /// <summary>The mark of a page that is there.</summary>
    public const byte There = 1;

    private const int PieceBytes = 1 << 16;     // while one is written, nobody else writes by this
    private const int NotSupported = 95;

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

    /// <summary>The processes of which pages are still to arrive when they are restored, and how many.</summary>
    public static IReadOnlyDictionary<ulong, long> AwaitedIn(string imageDirectory) =>
        PagemapChain.ProcessesIn(imageDirectory).ToDictionary(image => image, image => PagemapChain.AwaitedPagesOf(imageDirectory, image)).Where(process => process.Value > 0).ToDictionary();

    /// <summary>Makes room for all of them, of which none is there, unless that was done before. Throws <see cref="ContainerException"/> when the disk has none.</summary>
    public static void Prepare(string imageDirectory, IReadOnlyDictionary<ulong, long> awaited)
    {
        try
        {
            foreach ((ulong image, long pages) in awaited)
            {
                Make(PathIn(imageDirectory, image), checked(pages * PageRun.PageSize));
                Make(MarksPathIn(imageDirectory, image), pages);
            }
        }
        catch (Exception full) when (full is IOException or OverflowException)
        {
            throw new ContainerException($"There is no room in {imageDirectory} for memory that is to follow ({awaited.Values.Sum():N0} pages): {full.Message}", inner: full);
        }
    }

    /// <summary>Opens what <see cref="Prepare"/> has made.</summary>
    public static ArrivalFile Open(string imageDirectory, ulong image) => new(imageDirectory, image);

    /// <summary>Writes pages and marks them. Throws <see cref="SnapshotException"/> when nobody waits for one of them.</summary>
    public void Write(ulong address, ReadOnlySpan<byte> pages)
    {
        if (pages.Length % PageRun.PageSize != 0) throw new ArgumentException("pages come whole", nameof(pages));
        while (!pages.IsEmpty)
        {
            (long position, long room) = PlaceOf(address);
            ReadOnlySpan<byte> piece = pages[..(int)Math.Min(Math.Min(pages.Length, PieceBytes), room)];
            WriteAt(position, piece);
            address += (ulong)piece.Length;
            pages = pages[piece.Length..];
        }
    }

    /// <summary>How many pages are not there yet.</summary>
    public long CountLacking()
    {
        long lacking = 0;
        byte[] marks = new byte[PieceBytes];
        for (long position = 0; ;)
        {
            int read = RandomAccess.Read(_marks, marks, position);
            if (read == 0) return lacking;
            lacking += read - marks.AsSpan(0, read).Count(There);
            position += read;
        }
    }

    /// <summary>The pages that are not there yet, side by side.</summary>
    public IEnumerable<LackingRun> FindLacking()
    {
        byte[] marks = new byte[PieceBytes];
        foreach (StoredRun run in _runs)
        {
            for (long first = 0; first < run.Pages;)
            {
                Span<byte> piece = marks.AsSpan(0, (int)Math.Min(run.Pages - first, PieceBytes));
                if (RandomAccess.Read(_marks, piece, (run.Offset / PageRun.PageSize) + first) != piece.Length) throw new EndOfStreamException("The marks of pages that have arrived are fewer than the pages.");
                bool isThere = piece[0] == There;
                int length = isThere ? piece.IndexOfAnyExcept(There) : piece.IndexOf(There);
                length = length < 0 ? piece.Length : length;
                if (!isThere) yield return new LackingRun(_image, run.Address + ((ulong)first * PageRun.PageSize), (uint)length);
                first += length;
            }
        }
    }

    /// <summary>All from the first page that was awaited to the last.</summary>
    public IEnumerable<LackingRun> FindExtent()
    {
        ulong end = _runs[^1].Address + ((ulong)_runs[^1].Pages * PageRun.PageSize);
        for (ulong address = _runs[0].Address; address < end;)
        {
            uint pages = (uint)Math.Min((end - address) / PageRun.PageSize, uint.MaxValue);
            yield return new LackingRun(_image, address, pages);
            address += pages * (ulong)PageRun.PageSize;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pages.Dispose();
        _marks.Dispose();
    }

    /// <summary>It has its name when it has its room. Where a file system cannot set room aside, zeros take it.</summary>
    private static void Make(string path, long length)
    {
        if (File.Exists(path) && new FileInfo(path).Length == length) return;
        string draft = path + ".new";
        try
        {
            using (SafeFileHandle file = File.OpenHandle(draft, FileMode.Create, FileAccess.Write, FileShare.None)) SetAside(file, length);
            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    private static void SetAside(SafeFileHandle file, long length)
    {
        if (Native.Allocate(file, 0, 0, length) == 0) return;
        int error = Marshal.GetLastPInvokeError();
        if (error != NotSupported) throw new IOException(Marshal.GetPInvokeErrorMessage(error));
        byte[] zeros = new byte[PieceBytes];
        for (long at = 0; at < length; at += zeros.Length) RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - at)), at);
    }

    /// <summary>What is marked is not written again: somebody may be reading it.</summary>
    private void WriteAt(long position, ReadOnlySpan<byte> pages)
    {
        long first = position / PageRun.PageSize;
        Span<byte> marks = stackalloc byte[pages.Length / PageRun.PageSize];
        lock (_lock)
        {
            if (RandomAccess.Read(_marks, marks, first) != marks.Length) throw new EndOfStreamException("The marks of pages that have arrived are fewer than the pages.");
            for (int page = 0; page < marks.Length;)
            {
                int run = marks[page..].IndexOfAnyExcept(marks[page]);
                run = run < 0 ? marks.Length - page : run;
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
