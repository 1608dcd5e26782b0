using System.Globalization;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// The packs of all stores below a directory, as files: how much they take, and which go when that is too much. What it knows it reads off the directory, each time anew; so there
/// is nothing that a crash could leave wrong. A store that is open keeps what it has, also when its files go; any process may call at any time.
/// </summary>
// spec: SNAP-107
public static class ChunkPackFiles
{
    internal const string Prefix = "pack-";
    internal const string IndexEnding = ".index";
    internal const string PayloadEnding = ".data";

    /// <summary>Bytes that the stores in the directories of <paramref name="root"/> take.</summary>
    public static long Measure(string root) => Find(root).Sum(pack => pack.Length);

    /// <summary>
    /// Removes packs, those first that were not used for longest, until the others take no more than <paramref name="mostBytes"/>; and what is no pack any more, or was one of earlier versions.
    /// </summary>
    public static void Trim(string root, long mostBytes)
    {
        long kept = 0;
        foreach ((string path, long length, _) in Find(root).OrderByDescending(pack => pack.UsedAt).ThenByDescending(pack => pack.Path, StringComparer.Ordinal).ToList())
        {
            kept += length;
            if (kept > mostBytes || !File.Exists(path + IndexEnding))
                Remove(path);
        }
    }

    /// <summary>The packs of one store, oldest first, without their endings.</summary>
    internal static IEnumerable<string> In(string directory) => Directory
        .EnumerateFiles(directory, Prefix + "*")
        .Select(path => Path.ChangeExtension(path, null))
        .Distinct()
        .Order(StringComparer.Ordinal);

    /// <summary>A name that nobody else gives, and that sorts behind those given before.</summary>
    internal static string NewName() => string.Create(
        CultureInfo.InvariantCulture, $"{Prefix}{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds():x12}-{Random.Shared.NextInt64():x16}");

    /// <summary>Notes that a pack was of use. If it is gone, nobody needs to know.</summary>
    internal static void MarkUsed(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path + IndexEnding, DateTime.UtcNow);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It was evicted, or it will be early.
        }
    }

    private static IEnumerable<(string Path, long Length, DateTime UsedAt)> Find(string root)
    {
        if (!Directory.Exists(root))
            return [];
        return new DirectoryInfo(root)
            .EnumerateFiles(Prefix + "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, AttributesToSkip = FileAttributes.ReparsePoint })
            .GroupBy(file => Path.ChangeExtension(file.FullName, null))
            .Select(pack => (pack.Key, pack.Sum(LengthOf), pack.Max(file => file.LastWriteTimeUtc)));
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0; // another process evicts
        }
    }

    /// <summary>The index first: payloads without an index are nothing.</summary>
    private static void Remove(string path)
    {
        File.Delete(path + IndexEnding);
        File.Delete(path + PayloadEnding);
        File.Delete(path); // as earlier versions called a pack
    }
}
