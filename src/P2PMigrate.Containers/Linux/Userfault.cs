using System.Runtime.InteropServices;

namespace P2PMigrate.Containers.Linux;

/// <summary>How a userfaultfd took what it was told.</summary>
internal enum FaultAnswer
{
    /// <summary>All of it, and whoever waited for it goes on.</summary>
    Done = 0,

    /// <summary>A part of it at most: the address space is changing, which an event tells or will tell.</summary>
    Changing = 1,

    /// <summary>There is a page already.</summary>
    There = 2,

    /// <summary>There is no memory that waits for pages, or not all in one mapping.</summary>
    Nowhere = 3,

    /// <summary>The address space is gone.</summary>
    Gone = 4,

    /// <summary>The machine, or the container's share of it, has no memory left for it now.</summary>
    NoMemory = 5,
}

/// <summary>The calls on a userfaultfd, which is known by its number: it is shared with a process that keeps it.</summary>
internal static unsafe partial class Userfault
{
    private const nuint Wake = 0x8010_AA02, CopyPages = 0xC028_AA03, ZeroPages = 0xC020_AA04, ContinuePages = 0xC020_AA07;
    private const nint CloseOnExec = 0x8_0000, NonBlocking = 0x800;
    private const int NoEntry = 2, NoProcess = 3, Again = 11, OutOfMemory = 12, Exists = 17, TooManyOpen = 24;
    private const int Interrupted = 4;
    private const ulong LowestAddress = 0x10000;

    private static readonly nint s_open = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 282 : 323;

    /// <summary>How far addresses of a process may go, by processor and kernel.</summary>
    private static readonly ulong[] s_ends = [0xFFFF_FFFF_F000, 0x7FFF_FFFF_F000, 0x7F_FFFF_F000];

    /// <summary>Has this kernel any, for us?</summary>
    public static bool IsThere
    {
        get
        {
            nint descriptor = Native.SystemCall(s_open, CloseOnExec | NonBlocking, 0, 0);
            if (descriptor >= 0) _ = Native.Close((int)descriptor);
            return descriptor >= 0;
        }
    }

    /// <summary>Reads one message, if there is one. That of a fork needs a descriptor: while we can have no more of them, there is none, and who forks waits. It is where <paramref name="message"/> says as soon as it is read, even if this process is killed.</summary>
    public static bool TryRead(int descriptor, void* message, int length)
    {
        nint read = Read(descriptor, message, length);
        if (read == length) return true;
        int error = Marshal.GetLastPInvokeError();
        if (read < 0 && error is Again or Interrupted or TooManyOpen) return false;
        throw new IOException($"Cannot read what a userfaultfd says: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    /// <summary>Gives pages; <paramref name="given"/> is how many bytes were taken, also when it was not all.</summary>
    public static FaultAnswer Copy(int descriptor, ulong address, nint content, long bytes, out long given)
    {
        var order = new CopyOrder { Target = address, Source = (ulong)content, Length = (ulong)bytes };
        int result = Control(descriptor, CopyPages, &order);
        given = Math.Max(0, order.Result);
        return result == 0 ? FaultAnswer.Done : AnswerOf(order.Result, Marshal.GetLastPInvokeError());
    }

    /// <summary>Gives a page that has nothing but zeros.</summary>
    public static FaultAnswer Zero(int descriptor, ulong address, long bytes)
    {
        var order = new ZeroOrder { Range = new Range { Start = address, Length = (ulong)bytes } };
        return Control(descriptor, ZeroPages, &order) == 0 ? FaultAnswer.Done : AnswerOf(order.Result, Marshal.GetLastPInvokeError());
    }

    /// <summary>
    /// Has the address space ended? The kernel tells of that by no event. It is asked to do what it never does with private memory, which it refuses with another reason as long as there is such memory.
    /// </summary>
    public static bool HasEnded(int descriptor, ulong address, long bytes)
    {
        var order = new ZeroOrder { Range = new Range { Start = address, Length = (ulong)bytes } }; // struct uffdio_continue is like it
        return Control(descriptor, ContinuePages, &order) != 0 && Marshal.GetLastPInvokeError() == NoProcess;
    }

    /// <summary>Whoever waits for a page there looks again.</summary>
    public static bool Rouse(int descriptor, ulong address, ulong bytes)
    {
        var range = new Range { Start = address, Length = bytes };
        return Control(descriptor, Wake, &range) == 0;
    }

    /// <summary>Whoever waits for a page anywhere looks again.</summary>
    public static void RouseAll(int descriptor) => _ = s_ends.Any(end => Rouse(descriptor, LowestAddress, end - LowestAddress));

    private static FaultAnswer AnswerOf(long result, int error) => result > 0 ? FaultAnswer.Changing : error switch
    {
        Again => FaultAnswer.Changing,
        Exists => FaultAnswer.There,
        NoEntry => FaultAnswer.Nowhere,
        NoProcess => FaultAnswer.Gone,
        OutOfMemory => FaultAnswer.NoMemory,
        _ => throw new IOException($"A memory page cannot be put into a restored process: {Marshal.GetPInvokeErrorMessage(error)}."),
    };

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, void* buffer, nint length);

    [StructLayout(LayoutKind.Sequential)]
    private struct Range
    {
        public ulong Start;
        public ulong Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CopyOrder
    {
        public ulong Target;
        public ulong Source;
        public ulong Length;
        public ulong Mode;
        public long Result;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ZeroOrder
    {
        public Range Range;
        public ulong Mode;
        public long Result;
    }
}
