using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Lab.Links;

/// <summary>The system calls of the link emulator.</summary>
internal static unsafe partial class LinkNative
{
    private const int SetInterface = 0x400454ca; // TUNSETIFF
    private const short TunWithoutHeader = 0x1001; // IFF_TUN | IFF_NO_PI
    private const int OpenFlags = 0x80802; // O_RDWR | O_NONBLOCK | O_CLOEXEC
    private const int SetTimerSlack = 29;
    private const int RoundRobin = 2;
    private const short PollIn = 1;

    /// <summary>Makes a TUN device in the network namespace of the calling thread.</summary>
    public static SafeFileHandle OpenTun(string device)
    {
        SafeFileHandle handle = open("/dev/net/tun", OpenFlags);
        byte* request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        Encoding.ASCII.GetBytes(device, new Span<byte>(request, 15));
        *(short*)(request + 16) = TunWithoutHeader;
        if (handle.IsInvalid || ioctl(handle, SetInterface, request) != 0)
            throw new LabException($"the device {device} cannot be made: {Marshal.GetLastPInvokeErrorMessage()}");
        return handle;
    }

    /// <summary>The next packet, or -1 when there is none.</summary>
    public static int Read(SafeFileHandle handle, byte* buffer, int length) => (int)read(handle, buffer, length);

    /// <summary>Hands a packet to the kernel; what it refuses is lost.</summary>
    public static void Write(SafeFileHandle handle, byte* buffer, int length) => _ = write(handle, buffer, length);

    /// <summary>
    /// Lets timeouts of the calling thread end when they are due, not up to 50 µs later, and lets it run before ordinary
    /// programs: a link does not become slower because its ends are busy. Where that is not allowed the link is less exact.
    /// </summary>
    public static void BePunctual()
    {
        _ = prctl(SetTimerSlack, 1, 0, 0, 0);
        int priority = 1;
        _ = sched_setscheduler(0, RoundRobin, &priority);
    }

    /// <summary>Waits for a packet or for the time to pass.</summary>
    public static void WaitReadable(SafeFileHandle handle, long nanoseconds)
    {
        PollFd poll = new() { Descriptor = (int)handle.DangerousGetHandle(), Events = PollIn };
        Wait(&poll, 1, nanoseconds);
    }

    /// <summary>Waits for the time to pass.</summary>
    public static void Sleep(long nanoseconds) => Wait(null, 0, nanoseconds);

    private static void Wait(PollFd* polls, nuint count, long nanoseconds)
    {
        TimeSpec time = new() { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        _ = ppoll(polls, count, &time, null);
    }

    private struct PollFd
    {
        public int Descriptor;
        public short Events;
        public short Occurred;
    }

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle handle, nuint request, byte* argument);

    [LibraryImport("libc")]
    private static partial nint read(SafeFileHandle handle, byte* buffer, nint length);

    [LibraryImport("libc")]
    private static partial nint write(SafeFileHandle handle, byte* buffer, nint length);

    [LibraryImport("libc")]
    private static partial int ppoll(PollFd* polls, nuint count, TimeSpec* timeout, void* signals);

    [LibraryImport("libc")]
    private static partial int sched_setscheduler(int thread, int policy, int* priority);

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint value, nuint third, nuint fourth, nuint fifth);
}
