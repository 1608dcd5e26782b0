using System.Runtime.InteropServices;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Copies pages out of running processes, many pieces with one call. A page that is gone is left out, and those behind it are read
/// by the next call. One owner.
/// </summary>
// spec: MEM-11, MEM-14
internal sealed unsafe class ProcessMemory
{
    /// <summary>Pages read at once.</summary>
    public const int BatchPages = 256;

    private const int PiecesMax = 64;
    private const int BadAddress = 14;
    private const ulong PageSize = PageRun.PageSize;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BatchPages * PageRun.PageSize, pinned: true);
    private readonly NativeMemory.IoVector[] _pieces = new NativeMemory.IoVector[PiecesMax];
    private int _count;
    private ulong _bytes;

    /// <summary>Wants a run of pages; reads when enough is wanted.</summary>
    public void Add(ProcessHandle process, ulong address, ulong length, LivePagesHandler found, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ulong part = Math.Min(length, (BatchPages * PageSize) - _bytes);
            _pieces[_count++] = new NativeMemory.IoVector { Start = (nuint)address, Length = (nuint)part };
            _bytes += part;
            address += part;
            length -= part;
            if (_count == PiecesMax || _bytes == BatchPages * PageSize)
                Flush(process, found);
        }
    }

    /// <summary>Reads what is wanted.</summary>
    public void Flush(ProcessHandle process, LivePagesHandler found)
    {
        for (int first = 0; first < _count;)
            first = ReadFrom(process, first, found);
        (_count, _bytes) = (0, 0);
    }

    /// <summary>Reads pieces from <paramref name="first"/> on and returns the one to go on with; the page that stopped the call is gone.</summary>
    private int ReadFrom(ProcessHandle process, int first, LivePagesHandler found)
    {
        nint read;
        fixed (NativeMemory.IoVector* remote = &_pieces[first])
        fixed (byte* buffer = _buffer)
        {
            var local = new NativeMemory.IoVector { Start = (nuint)buffer, Length = (nuint)_buffer.Length };
            read = NativeMemory.ReadProcess(process.Pid, &local, 1, remote, (nuint)(_count - first), 0);
        }

        if (read < 0 && Marshal.GetLastPInvokeError() != BadAddress)
            return _count; // the process is gone
        if (!process.IsSame)
            return _count; // so is what was read: it may be another's
        var left = (ulong)Math.Max(read, 0) / PageSize * PageSize;
        for (int offset = 0; first < _count; first++)
        {
            ref NativeMemory.IoVector piece = ref _pieces[first];
            var length = (int)Math.Min(left, piece.Length);
            if (length > 0)
                found(process.Pid, piece.Start, _buffer.AsSpan(offset, length));
            offset += length;
            left -= (ulong)length;
            if ((ulong)length == piece.Length)
                continue;
            piece.Start += (nuint)length + (nuint)PageSize;
            piece.Length -= (nuint)length + (nuint)PageSize;
            return piece.Length == 0 ? first + 1 : first;
        }

        return first;
    }
}
