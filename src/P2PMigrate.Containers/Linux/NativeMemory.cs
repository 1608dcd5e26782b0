using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Containers.Linux;

/// <summary>The calls of libc that look into the memory of other processes.</summary>
internal static unsafe partial class NativeMemory
{
    /// <summary><c>_IOWR('f', 16, struct pm_scan_arg)</c>.</summary>
    public const nuint PagemapScan = 0xC060_6610;

    public const ulong PageIsFile = 1 << 2, PageIsPresent = 1 << 3, PageIsZeroFrame = 1 << 5;

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int ScanPagemap(SafeFileHandle pagemap, nuint request, ref ScanArguments arguments);

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    public static partial nint ReadProcess(int pid, IoVector* local, nuint localCount, IoVector* remote, nuint remoteCount, nuint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth);

    /// <summary>With <paramref name="which"/> and <paramref name="who"/> zero, the calling thread's.</summary>
    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    public static partial int SetPriority(int which, uint who, int nice);

    /// <summary><c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public nuint Start;
        public nuint Length;
    }

    /// <summary><c>struct pm_scan_arg</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ScanArguments
    {
        public ulong Size;
        public ulong Flags;
        public ulong Start;
        public ulong End;
        public ulong WalkEnd;
        public ulong Regions;
        public ulong RegionsLength;
        public ulong PagesMax;
        public ulong CategoryInverted;
        public ulong CategoryMask;
        public ulong CategoryAnyOf;
        public ulong ReturnMask;
    }

    /// <summary><c>struct page_region</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PageRegion
    {
        public ulong Start;
        public ulong End;
        public ulong Categories;
    }
}
