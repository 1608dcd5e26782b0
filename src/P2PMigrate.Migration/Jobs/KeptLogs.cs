namespace P2PMigrate.Migration.Jobs;

/// <summary>Logs of CRIU and of runtimes that a message names: copies, for a job's own directory goes when the job has ended. The last <see cref="FilesMax"/> of them.</summary>
internal static class KeptLogs
{
    private const int FilesMax = 16;     // CONST-394

    /// <summary>Copies a log that lies in a job's directory, and returns where it is from now on; one that lies elsewhere stays there. Null when it cannot be kept.</summary>
    public static string? Keep(StateDirectory state, string path)
    {
        string below = Path.GetRelativePath(state.Jobs, path);
        if (below.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(below))
            return path;
        string kept = Path.Combine(state.Logs, $"{below[..below.IndexOf(Path.DirectorySeparatorChar, StringComparison.Ordinal)]}-{Path.GetFileName(path)}");
        try
        {
            StateDirectory.CreatePrivate(state.Logs);
            foreach (FileInfo old in new DirectoryInfo(state.Logs).GetFiles().Where(file => file.FullName != kept).OrderByDescending(file => file.LastWriteTimeUtc).Skip(FilesMax - 1))
                old.Delete();
            File.Copy(path, kept, overwrite: true);
            return kept;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // no log, or no room for it; the message stands without
            RemoveFragment(kept);
            return null;
        }
    }

    private static void RemoveFragment(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // the next one makes room
        }
    }
}
