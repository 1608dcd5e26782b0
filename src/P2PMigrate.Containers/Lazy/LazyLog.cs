using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// The records of a <see cref="LazyBook"/>, in memory that has a descriptor and so outlives the process that writes them. An event is read from the kernel straight into the next record: there is no
/// moment at which it is known to a process only. One writer.
/// </summary>
// spec: MEM-43
internal sealed unsafe partial class LazyLog : IDisposable
{
    private const int Protection = 1 | 2, Shared = 1, CloseOnExec = 1;
    private const long Bytes = 1L << 30; // only what is written takes memory

    private readonly LazyRecord* _records;
    private int _count;

    private LazyLog(int descriptor)
    {
        Descriptor = descriptor;
        nint map = descriptor < 0 ? -1 : Map(null, (nuint)Bytes, Protection, Shared, descriptor, 0);
        if (map == -1) throw new IOException($"Cannot keep a record of memory that is still to come: {Marshal.GetLastPInvokeErrorMessage()}.");
        _records = (LazyRecord*)map;
        while (IsWhole(_records[_count])) _count++;
    }

    /// <summary>What holds the records.</summary>
    public int Descriptor { get; }

    /// <summary>Those that were written.</summary>
    public ReadOnlySpan<LazyRecord> Records => new(_records, _count);

    /// <summary>Without records.</summary>
    public static LazyLog Create()
    {
        int descriptor = CreateMemory("lazy-pages", CloseOnExec);
        return new LazyLog(descriptor >= 0 && Truncate(descriptor, Bytes) == 0 ? descriptor : -1);
    }

    /// <summary>With the records that an earlier process wrote.</summary>
    public static LazyLog Open(int descriptor) => new(descriptor);

    /// <summary>The address spaces whose descriptors are closed, or about to be.</summary>
    public HashSet<int> ClosedSpaces()
    {
        var closed = new HashSet<int>();
        foreach (ref readonly LazyRecord record in Records)
        {
            if (record.Kind == LazyRecordKind.Gone) closed.Add(record.Space);
        }

        return closed;
    }

    /// <summary>Adds a record; returns it. What makes it one is written last.</summary>
    // spec: MEM-43
    public ref readonly LazyRecord Add(in LazyRecord record)
    {
        ref LazyRecord room = ref Room();
        room = record with { Kind = LazyRecordKind.None };
        Volatile.Write(ref Unsafe.As<LazyRecordKind, int>(ref room.Kind), (int)record.Kind);
        return ref _records[_count++];
    }

    /// <summary>Reads what the kernel has to say of a space. False when it is silent. A fault is no change, and its record is overwritten by the next.</summary>
    public bool TryRead(LazySpace space, out LazyRecord record)
    {
        ref LazyRecord room = ref Room();
        room = new LazyRecord { Kind = LazyRecordKind.Event, Space = space.Number };
        bool said = Userfault.TryRead(space.Descriptor, (byte*)(_records + _count) + LazyRecord.MessageAt, LazyRecord.MessageLength);
        record = room;
        if (said && record.Event != FaultEvent.PageFault) _count++;
        return said;
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Unmap(_records, (nuint)Bytes);

    private static bool IsWhole(in LazyRecord record) => record.Kind switch
    {
        LazyRecordKind.None => false,
        LazyRecordKind.Event => record.Event is not (FaultEvent.None or FaultEvent.PageFault),
        _ => true,
    };

    private ref LazyRecord Room()
    {
        if (_count + 1 >= Bytes / LazyRecord.Length) throw new IOException("The container changes its memory so often that no more can be recorded.");
        return ref _records[_count];
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemory(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int Truncate(int descriptor, long length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}
