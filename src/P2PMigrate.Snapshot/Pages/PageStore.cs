using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>
/// The pages that a target keeps for one job, by number, in a file that has no name any more: it is gone with the process, and nobody else
/// opens it. One writer; readers see pages that were added before. What the disk refuses is a <see cref="SnapshotException"/>.
/// </summary>
// spec: MEM-03
public sealed class PageStore : IDisposable
{
    private const int NoSpace = 28, QuotaExceeded = 122; // as Linux numbers errors

    private readonly SafeFileHandle _file;
    private long _count;

    /// <summary>Makes an empty store on the file system of <paramref name="directory"/>.</summary>
    public PageStore(string directory)
    {
        string path = Path.Combine(directory, Path.GetRandomFileName());
        try
        {
            _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Failure(exception);
        }
    }

    /// <summary>Pages that it keeps; the next one gets this number.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Keeps whole pages under the next numbers; false when the disk is full, and then none of them is kept.</summary>
    public bool TryAppend(ReadOnlySpan<byte> pages)
    {
        try
        {
            RandomAccess.Write(_file, pages, _count * PageRun.PageSize);
        }
        catch (IOException exception) when (exception.HResult is NoSpace or QuotaExceeded)
        {
            return false;
        }
        catch (IOException exception)
        {
            throw Failure(exception);
        }

        Volatile.Write(ref _count, _count + (pages.Length / PageRun.PageSize));
        return true;
    }

    /// <summary>Are there <paramref name="pages"/> pages from <paramref name="number"/> on?</summary>
    public bool Contains(ulong number, uint pages) => number <= (ulong)Count && pages <= (ulong)Count - number;

    /// <summary>Fills <paramref name="pages"/> with those from <paramref name="number"/> on, which it must contain.</summary>
    public void Read(ulong number, Span<byte> pages)
    {
        long offset = checked((long)number * PageRun.PageSize);
        try
        {
            while (!pages.IsEmpty)
            {
                int read = RandomAccess.Read(_file, pages, offset);
                if (read == 0)
                    throw new EndOfStreamException("it is shorter than what was written");
                pages = pages[read..];
                offset += read;
            }
        }
        catch (IOException exception)
        {
            throw Failure(exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static SnapshotException Failure(Exception inner) => new($"Cannot keep memory pages: {inner.Message}", inner);
}
