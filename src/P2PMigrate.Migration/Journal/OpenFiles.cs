using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Migration.Journal;

/// <summary>Which process has a file open, by <c>/proc</c>. Processes that this user may not look at are not seen.</summary>
internal static class OpenFiles
{
    /// <summary>
    /// The process that has <paramref name="file"/> open, which is called <paramref name="name"/>, by another descriptor than ours; null when none is seen. This process
    /// counts too.
    /// </summary>
    public static int? FindOther(string name, SafeFileHandle file)
    {
        int ours = (int)file.DangerousGetHandle();
        string? inode = InodeOf($"/proc/self/fdinfo/{ours}");
        foreach (string process in Entries("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                continue;
            foreach (string descriptor in Entries($"{process}/fd"))
            {
                string number = Path.GetFileName(descriptor);
                bool isOurs = pid == Environment.ProcessId && number == ours.ToString(CultureInfo.InvariantCulture);
                if (!isOurs && IsCalled(descriptor, name) && InodeOf($"{process}/fdinfo/{number}") == inode)
                    return pid;
            }
        }

        return null;
    }

    private static bool IsCalled(string descriptor, string name)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false) is { } target && target.Name == name;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The line <c>ino:</c>, which older kernels do not have.</summary>
    private static string? InodeOf(string information)
    {
        try
        {
            return File.ReadLines(information).FirstOrDefault(line => line.StartsWith("ino:", StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Processes come and go, and some are none of our business.</summary>
    private static string[] Entries(string directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
