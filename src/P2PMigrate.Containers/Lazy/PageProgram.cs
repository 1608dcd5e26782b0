using System.Globalization;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// The program that gives memory pages to a restored container while it runs. It is a process of its own, started by the runtime with the command of its options, and outlives the one that restores.
/// </summary>
public static class PageProgram
{
    /// <summary>Serves the restore that the words name to its end; returns the exit code.</summary>
    public static int Run(params string[] words)
    {
        if (words is not [var workDirectory, var imageDirectory, var how]) return 2;
        if (how == LateGiving.TakeOverWord) return LazyPages.TakeOver(workDirectory, imageDirectory) ? 0 : 1;
        return int.TryParse(how, NumberStyles.None, CultureInfo.InvariantCulture, out int socket) && LazyPages.Serve(workDirectory, imageDirectory, socket) ? 0 : 1;
    }
}
