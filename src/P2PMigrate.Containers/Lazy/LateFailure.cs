namespace P2PMigrate.Containers.Lazy;

/// <summary>Why pages could not be given, as whoever gave them has left it in the work directory: its streams lead nowhere.</summary>
internal static class LateFailure
{
    private const string FileName = "lazy-failure";

    /// <summary>Writes it down; where it cannot be, nobody knows why.</summary>
    public static void TrySave(string workDirectory, string why)
    {
        try
        {
            File.WriteAllText(Path.Combine(workDirectory, FileName), why);
        }
        catch (IOException)
        {
            // a full disk
        }
    }

    /// <summary>Removes it.</summary>
    public static void Delete(string workDirectory) => File.Delete(Path.Combine(workDirectory, FileName));

    /// <summary>What was written last, to be put behind a sentence; empty when nothing was.</summary>
    public static string Because(string workDirectory)
    {
        string path = Path.Combine(workDirectory, FileName);
        return File.Exists(path) ? $": {File.ReadAllText(path).TrimEnd('.')}" : "";
    }
}
