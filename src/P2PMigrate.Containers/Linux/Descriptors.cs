using System.Runtime.InteropServices;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Linux;

/// <summary>Descriptors that come from other processes, and waiting for what they have to say. They are numbers of this process's table, and closed by nobody but it.</summary>
internal static unsafe partial class Descriptors
{
    /// <summary>There is something to read.</summary>
    public const short Readable = 1;

    private const nint PidfdOpen = 434, PidfdGet = 438; // the same numbers on every architecture
    private const int SocketLevel = 1, Rights = 1, WaitForAll = 0x100, CloseOnExec = 0x4000_0000;
    private const int Interrupted = 4;

    /// <summary>
    /// Waits until one of them has something to say, at most so many milliseconds (for ever when it is negative). Returns false when none has.
    /// </summary>
    public static bool Poll(Span<PollEntry> entries, int milliseconds)
    {
        fixed (PollEntry* first = entries)
        {
            int ready = PollAll(first, (nuint)entries.Length, milliseconds);
            if (ready >= 0) return ready > 0;
        }

        int error = Marshal.GetLastPInvokeError();
        if (error != Interrupted) throw new IOException($"Cannot wait for descriptors: {Marshal.GetPInvokeErrorMessage(error)}.");
        foreach (ref PollEntry entry in entries) entry.Ready = 0;
        return false;
    }

    /// <summary>Reads a number of four bytes from a socket; null at its end.</summary>
    public static int? ReceiveNumber(int socket)
    {
        int number;
        nint read;
        do read = ReceiveBytes(socket, &number, sizeof(int), WaitForAll);
        while (read < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return read == sizeof(int) ? number : null;
    }

    /// <summary>Reads a byte that brings a descriptor along; null when it brings none.</summary>
    public static int? ReceiveDescriptor(int socket)
    {
        byte dummy;
        var piece = new NativeMemory.IoVector { Start = (nuint)(&dummy), Length = 1 };
        var control = new ControlMessage { Length = (nuint)sizeof(ControlMessage) - sizeof(int) };
        var message = new Message { Pieces = &piece, PieceCount = 1, Control = &control, ControlLength = (nuint)sizeof(ControlMessage) };
        nint read;
        do read = ReceiveMessage(socket, &message, CloseOnExec);
        while (read < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        bool brought = read == 1 && message.ControlLength >= (nuint)sizeof(ControlMessage) - sizeof(int) && control is { Level: SocketLevel, Type: Rights };
        return brought ? control.Descriptor : null;
    }

    /// <summary>What another process has under this number, in our table too. Throws when it has nothing there, is gone, or it cannot be had.</summary>
    public static int Fetch(ProcessIdentity owner, int descriptor)
    {
        nint fetched = -1;
        if (OfProcess(owner.Pid) is { } process)
        {
            if (owner.IsAlive) fetched = Native.SystemCall(PidfdGet, process, descriptor, 0); // looked at after the number was opened: it is that process
            int error = Marshal.GetLastPInvokeError();
            _ = Native.Close(process);
            Marshal.SetLastPInvokeError(error);
        }

        return fetched >= 0 ? (int)fetched : throw new IOException($"Cannot take descriptor {descriptor} of process {owner.Pid}: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>One that has something to say when this process has ended; null when it has.</summary>
    public static int? OfProcess(int pid) => Native.SystemCall(PidfdOpen, pid, 0, 0) is >= 0 and var process ? (int)process : null;

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int PollAll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveBytes(int socket, void* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int socket, Message* message, int flags);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Ready;
    }

    /// <summary><c>struct msghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameLength;
        public NativeMemory.IoVector* Pieces;
        public nuint PieceCount;
        public ControlMessage* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary><c>struct cmsghdr</c> with one descriptor, and what fills it up.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ControlMessage
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }
}
