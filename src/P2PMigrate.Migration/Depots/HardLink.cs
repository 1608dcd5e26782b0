using System.Runtime.InteropServices;

namespace P2PMigrate.Migration.Depots;

/// <summary>A second name for a file, given by the kernel to the first who asks. .NET moves files, and falls back to what is not exclusive.</summary>
internal static partial class HardLink
{
    private const int Exists = 17;

    /// <summary>False when there is something of the name already. Throws <see cref="IOException"/> where the file system knows no hard links.</summary>
    public static bool TryCreate(string existing, string name)
    {
        if (Link(existing, name) == 0)
            return true;
        if (Marshal.GetLastPInvokeError() == Exists)
            return false;
        throw new IOException($"{name} cannot be created: {Marshal.GetLastPInvokeErrorMessage()}. A depot needs a file system with hard links, which decide who was first.");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);
}
