using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Reads memory of processes that stand still, known by the numbers that they have in their container. Whatever cannot be read is a <see cref="ContainerException"/>. Whether
/// they stood still is for the caller to ask afterwards. One owner.
/// </summary>
// spec: MEM-31
internal sealed class FrozenMemory : IDisposable
{
    /// <summary>Pieces that are read by one call.</summary>
    public const int PiecesMax = 512;

    private const int BadAddress = 14;

    private readonly Dictionary<ulong, ProcessHandle> _processes = [];
    private readonly Dictionary<ulong, SafeFileHandle> _files = [];
    private readonly NativeMemory.IoVector[] _pieces = new NativeMemory.IoVector[PiecesMax];

    /// <summary>Opens the processes that <paramref name="pids"/> lists, in our numbers.</summary>
    public FrozenMemory(IEnumerable<int> pids)
    {
        foreach (int pid in pids) Add(pid);
    }

    /// <summary>Fills <paramref name="content"/> with the pages of <paramref name="runs"/>, at most <see cref="PiecesMax"/>, one behind the other.</summary>
    public void Read(ulong number, ReadOnlySpan<PageRun> runs, Span<byte> content)
    {
        if (!_processes.TryGetValue(number, out ProcessHandle? process)) throw new ContainerException($"The frozen process {number} of the container is gone, and its memory with it.");
        for (int index = 0; index < runs.Length; index++)
            _pieces[index] = new NativeMemory.IoVector { Start = (nuint)runs[index].Address, Length = (nuint)runs[index].Pages * PageRun.PageSize };
        for (int first = 0; first < runs.Length;)
        {
            int length = ReadSome(process, first, runs.Length - first, content);
            int whole = first;
            int done = 0;
            while (whole < runs.Length && done + (int)_pieces[whole].Length <= length) done += (int)_pieces[whole++].Length;
            content = content[done..];
            first = whole;
            if (first == runs.Length) break;
            content = ReadForced(number, process, _pieces[first++], content); // what stopped the call
        }

        // Asked afterwards: a number is not given again between the read and the question.
        if (!process.IsSame) throw new ContainerException($"The frozen process {process.Pid} was killed while its memory was read.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ProcessHandle process in _processes.Values) process.Dispose();
        foreach (SafeFileHandle file in _files.Values) file.Dispose();
    }

    /// <summary>Returns how many bytes came; fewer than wanted where a page is not readable for the process itself.</summary>
    private unsafe int ReadSome(ProcessHandle process, int first, int count, Span<byte> content)
    {
        fixed (NativeMemory.IoVector* remote = &_pieces[first])
        fixed (byte* buffer = content)
        {
            var local = new NativeMemory.IoVector { Start = (nuint)buffer, Length = (nuint)content.Length };
            nint read = NativeMemory.ReadProcess(process.Pid, &local, 1, remote, (nuint)count, 0);
            if (read >= 0) return (int)read;
            if (Marshal.GetLastPInvokeError() == BadAddress) return 0;
            throw new ContainerException($"The memory of the frozen process {process.Pid} cannot be read: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>One piece by /proc/PID/mem, which asks nobody for the rights that the process has to its own pages. Returns what is left of the content.</summary>
    private Span<byte> ReadForced(ulong number, ProcessHandle process, in NativeMemory.IoVector piece, Span<byte> content)
    {
        Span<byte> wanted = content[..(int)piece.Length];
        try
        {
            if (!_files.TryGetValue(number, out SafeFileHandle? file))
                _files.Add(number, file = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/mem")));
            for (int done = 0; done < wanted.Length;)
            {
                int read = RandomAccess.Read(file, wanted[done..], (long)piece.Start + done);
                if (read == 0) throw new EndOfStreamException("there is nothing");
                done += read;
            }
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            throw new ContainerException($"Page 0x{piece.Start:x} of the frozen process {process.Pid} cannot be read: {reason.Message}");
        }

        return content[wanted.Length..];
    }

    private void Add(int pid)
    {
        string? numbers = ProcessTable.Status(pid, "NSpid");
        if (numbers is null || ProcessHandle.TryOpen(pid) is not { } process) return;
        string own = numbers.Split('\t', ' ')[^1];
        if (!ulong.TryParse(own, CultureInfo.InvariantCulture, out ulong number) || !_processes.TryAdd(number, process)) process.Dispose();
    }
}
