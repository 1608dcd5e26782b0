using System.Runtime.InteropServices;

namespace P2PMigrate.Migration.Journal;

/// <summary>Makes the names in a directory durable. .NET flushes files only.</summary>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;

    /// <summary>Returns when names that were made, moved or deleted in <paramref name="directory"/> are on the disk.</summary>
    public static void Flush(string directory)
    {
        int descriptor = Open(directory, ReadOnly | CloseOnExec);
        if (descriptor < 0)
            throw new IOException($"The directory {directory} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        try
        {
            if (Sync(descriptor) != 0)
                throw new IOException($"The directory {directory} cannot be written to the disk: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
