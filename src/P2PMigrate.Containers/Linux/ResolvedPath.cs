using System.Globalization;

namespace P2PMigrate.Containers.Linux;

/// <summary>The names of files and directories of this machine without symbolic links.</summary>
internal static class ResolvedPath
{
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;

    /// <summary>Where <paramref name="path"/> leads, or itself when it leads nowhere.</summary>
    public static string Of(string path)
    {
        int handle = Native.Open(path, PathOnly | CloseOnExec, 0);
        if (handle < 0) return path;
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{handle}")).LinkTarget ?? path;
        }
        finally
        {
            _ = Native.Close(handle);
        }
    }
}
