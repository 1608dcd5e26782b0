using System.Runtime.InteropServices;

namespace P2PMigrate.Lab;

/// <summary>The system calls the lab needs and .NET does not offer.</summary>
internal static partial class Native
{
    private const int Sigkill = 9;

    /// <summary>rmdir(2): unlike <see cref="Directory.Delete(string)"/> it does not mind the files a cgroup seems to hold.</summary>
    public static bool RemoveDirectory(string path) => rmdir(path) == 0;

    /// <summary>Sends SIGKILL; false when there is no such process.</summary>
    public static bool Kill(int pid) => kill(pid, Sigkill) == 0;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rmdir(string path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
