using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Migration.Journal;

/// <summary>Opens files as the kernel does. Everything else in .NET takes a lock, and fails where somebody has another one.</summary>
internal static partial class UnlockedFile
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;
    private const int NoEntry = 2;

    /// <summary>Opens a file to read; null when there is none. Throws <see cref="IOException"/> when it may not be read.</summary>
    public static SafeFileHandle? TryOpen(string path)
    {
        int descriptor = Open(path, ReadOnly | CloseOnExec);
        if (descriptor >= 0)
            return new SafeFileHandle(descriptor, ownsHandle: true);
        return Marshal.GetLastPInvokeError() == NoEntry
            ? null
            : throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
