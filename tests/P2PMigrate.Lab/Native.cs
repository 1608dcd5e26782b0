using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Lab;

/// <summary>The system calls the lab needs and .NET does not offer.</summary>
internal static partial class Native
{
    private const int NewNetwork = 0x40000000;
    private const int CloseOnExec = 0x80000;

    /// <summary>rmdir(2): unlike <see cref="Directory.Delete(string)"/> it does not mind the files a cgroup seems to hold.</summary>
    public static bool RemoveDirectory(string path) => rmdir(path) == 0;

    /// <summary>Sends a signal; false when there is no such process.</summary>
    public static bool Signal(int pid, UnixSignal signal) => kill(pid, (int)signal) == 0;

    /// <summary>Moves the calling thread, and nothing else, into a network namespace.</summary>
    public static void EnterNetworkNamespace(SafeFileHandle handle)
    {
        if (setns(handle, NewNetwork) != 0) throw new LabException("cannot enter the network namespace: " + Marshal.GetLastPInvokeErrorMessage());
    }

    /// <summary>open(2) for reading, without the lock that <see cref="File"/> would ask for. Throws <see cref="IOException"/>.</summary>
    public static SafeFileHandle OpenUnlocked(string path)
    {
        SafeFileHandle file = open(path, CloseOnExec);
        return file.IsInvalid ? throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}") : file;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rmdir(string path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle handle, int type);
}
