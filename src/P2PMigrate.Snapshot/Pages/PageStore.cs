using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>
/// The pages that a target keeps for one job, by number, each with the name that it had when it came, in a file that has no name unless <see cref="TryLink"/> gives it one: it is
/// gone with the process, and nobody else opens it. One writer; readers see pages that were added before, and look at names when it has ended. What the disk refuses is a <see cref="SnapshotException"/>.
/// </summary>
// spec: MEM-03
public sealed class PageStore : IDisposable
{
    private const int NoSpace = 28, QuotaExceeded = 122; // as Linux numbers errors
    private const uint PrivateMode = 0x180;
    private const uint WriteBegin = 2;
    private const int CopyPages = 256;
    private const long WriteBackBytes = 8 << 20;

    private readonly SafeFileHandle _file;
    private readonly PageKey _key;
    private readonly List<PageName> _names = [];
    private readonly bool _canLink;
    private long _count;
    private long _writtenBack;

    /// <summary>Makes an empty store on the file system of <paramref name="directory"/>. The key stays its owner's.</summary>
    public PageStore(string directory, PageKey key)
    {
        _key = key;
        try
        {
            SafeFileHandle? nameless = TryOpenNameless(directory);
            _canLink = nameless is not null;
            _file = nameless ?? OpenUnlinked(directory);
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

        for (int offset = 0; offset < pages.Length; offset += PageRun.PageSize)
            _names.Add(_key.NameOf(pages.Slice(offset, PageRun.PageSize)));
        Volatile.Write(ref _count, _count + (pages.Length / PageRun.PageSize));
        BeginWriteBack();
        return true;
    }

    /// <summary>Are there <paramref name="pages"/> pages from <paramref name="number"/> on?</summary>
    public bool Contains(ulong number, uint pages) => number <= (ulong)Count && pages <= (ulong)Count - number;

    /// <summary>What a page that it contains was called when it came.</summary>
    // spec: MEM-04
    public PageName NameOf(ulong number) => _names[checked((int)number)];

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

    /// <summary>Writes a run into <paramref name="sink"/> with the pages from <paramref name="number"/> on, which it must contain.</summary>
    public async ValueTask CopyToAsync(IPageSink sink, PageRun run, ulong number, CancellationToken cancellationToken)
    {
        byte[] content = ArrayPool<byte>.Shared.Rent(CopyPages * PageRun.PageSize);
        try
        {
            for (uint done = 0; done < run.Pages;)
            {
                var piece = new PageRun(run.Address + ((ulong)done * PageRun.PageSize), Math.Min(run.Pages - done, CopyPages), run.Flags);
                Memory<byte> pages = content.AsMemory(0, (int)piece.Pages * PageRun.PageSize);
                Read(number + done, pages.Span);
                await sink.WriteAsync(piece, pages, cancellationToken).ConfigureAwait(false);
                done += piece.Pages;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(content);
        }
    }

    /// <summary>
    /// Gives the file a name, under which page <em>n</em> is at offset 4096 · <em>n</em> for as long as the name lasts, also when the store is disposed of. False where the file system cannot do
    /// that, or <paramref name="path"/> is on another one.
    /// </summary>
    // spec: MEM-60
    public unsafe bool TryLink(string path)
    {
        if (!_canLink)
            return false;
        bool isHeld = false;
        using var here = new SafeFileHandle(Libc.AtFdCwd, ownsHandle: false);
        try
        {
            _file.DangerousAddRef(ref isHeld);
            byte[] self = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_file.DangerousGetHandle()}\0"));
            fixed (byte* from = self, to = Encoding.UTF8.GetBytes(path + '\0'))
                return Libc.LinkAt(here, from, here, to, Libc.AtSymlinkFollow) == 0;
        }
        finally
        {
            if (isHeld)
                _file.DangerousRelease();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Null where the file system has no such files.</summary>
    private static unsafe SafeFileHandle? TryOpenNameless(string directory)
    {
        fixed (byte* path = Encoding.UTF8.GetBytes(directory + '\0'))
        {
            SafeFileHandle file = Libc.Open(path, OpenFlags.Nameless | OpenFlags.ReadWrite | OpenFlags.CloseOnExec, PrivateMode);
            if (!file.IsInvalid)
                return file;
            file.Dispose();
            return null;
        }
    }

    private static SafeFileHandle OpenUnlinked(string directory)
    {
        string path = Path.Combine(directory, Path.GetRandomFileName());
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        File.Delete(path);
        return file;
    }

    /// <summary>Else the disk would be busy with all of it when the container stands still.</summary>
    // spec: MEM-62
    private void BeginWriteBack()
    {
        long end = _count * PageRun.PageSize;
        if (end - _writtenBack < WriteBackBytes)
            return;
        _ = Libc.SyncFileRange(_file, _writtenBack, end - _writtenBack, WriteBegin);
        _writtenBack = end;
    }

    private static SnapshotException Failure(Exception inner) => new($"Cannot keep memory pages: {inner.Message}", inner);
}
