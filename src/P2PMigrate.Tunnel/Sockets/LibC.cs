using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>The few calls of the C library that the framework does not offer. Layouts are those of 64-bit Linux.</summary>
internal static unsafe partial class LibC
{
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int AF_NETLINK = 16;
    public const int EAGAIN = 11;
    public const int EINTR = 4;
    public const int EINVAL = 22;
    public const int EMSGSIZE = 90;
    public const int EIO = 5;
    public const int EOPNOTSUPP = 95;
    public const int EFD_CLOEXEC = 0x80000;
    public const int EFD_NONBLOCK = 0x800;
    public const int IPPROTO_IP = 0;
    public const int IPPROTO_IPV6 = 41;
    public const int IP_TTL = 2;
    public const int IPV6_HOPLIMIT = 52;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_TRUNC = 0x20;
    public const int NETLINK_ROUTE = 0;
    public const short POLLIN = 1;
    public const short POLLOUT = 4;
    public const int PR_SET_TIMERSLACK = 29;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_RAW = 3;
    public const int SOL_SOCKET = 1;
    public const int SOL_UDP = 17;
    public const int SO_RCVBUFFORCE = 33;
    public const int SO_SNDBUFFORCE = 32;
    public const int UDP_GRO = 104;
    public const int UDP_SEGMENT = 103;

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMany(int socket, MessageHeader* messages, uint count, int flags, TimeSpec* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMany(int socket, MessageHeader* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, TimeSpec* timeout, void* signalMask);

    /// <summary><see cref="Poll"/> with a span of time; one that is over means "do not wait".</summary>
    public static int PollFor(PollEntry* entries, nuint count, TimeSpan timeout)
    {
        long nanoseconds = Math.Max(0, timeout.Ticks) * TimeSpan.NanosecondsPerTick;
        var span = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        return Poll(entries, count, &span, null);
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial SafeFileHandle EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle file, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int BindSocket(int socket, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int ControlThread(int option, nuint argument);

    /// <summary>struct cmsghdr with the one item that we use: a size of datagrams, two bytes when sent, four when received; or a limit of hops, four bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DatagramSizeControl
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Size;
        private readonly int _padding;
    }

    /// <summary>struct mmsghdr: a message and the bytes that were transferred for it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public SocketAddress* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
        private readonly uint _padding;
        public uint Transferred;
        private readonly uint _paddingOfTheArray;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int File;
        public short Wanted;
        public short Happened;
    }

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>struct sockaddr_in and struct sockaddr_in6 in one: which of them is told by the family.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 28)]
    public struct SocketAddress
    {
        [FieldOffset(0)] public ushort Family;
        [FieldOffset(2)] public ushort PortBigEndian;
        [FieldOffset(4)] public fixed byte IPv4[4];
        [FieldOffset(8)] public fixed byte IPv6[16];
        [FieldOffset(24)] public uint ScopeId;
    }
}
