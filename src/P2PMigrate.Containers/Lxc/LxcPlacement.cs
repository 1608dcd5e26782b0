using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// The configuration of a received container at the place where LXC looks for it. Its files stay where they were received; the configuration points to them. One that is ours
/// says so in its first line, so that nothing of anybody else's is ever removed.
/// </summary>
internal static class LxcPlacement
{
    private const string Headline = "# Received by p2pmigrate, which removes this file when the container leaves.";

    /// <summary>Writes it, whole or not at all; nothing must be there.</summary>
    public static void Write(string path, LxcConfiguration configuration, string rootPath)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string draft = DraftOf(path);
        LxcConfiguration placed = PlacedVolumes.In(configuration, rootPath) is { } text && LxcConfiguration.Parse(text) is { } read ? read : configuration;
        File.WriteAllBytes(draft, placed.WithRootPath(rootPath, Headline));
        try
        {
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException taken) when (File.Exists(path))
        {
            File.Delete(draft);
            throw new ContainerException($"LXC has a container of this name here already ({path}).", inner: taken);
        }
    }

    /// <summary>Did we write the configuration at this path?</summary>
    public static bool IsOurs(string path) => File.Exists(path) && File.ReadLines(path).FirstOrDefault() == Headline;

    /// <summary>Removes it, and its directory unless there is something else in it.</summary>
    public static void Remove(string path)
    {
        File.Delete(path);
        RemoveIfEmpty(Path.GetDirectoryName(path)!);
    }

    /// <summary>Removes what a <see cref="Write"/> has left that may not have come to its end. What is somebody else's stays.</summary>
    public static void Undo(string path)
    {
        string directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory)) return;
        if (IsOurs(path)) File.Delete(path);
        File.Delete(DraftOf(path));
        RemoveIfEmpty(directory);
    }

    private static string DraftOf(string path) => path + ".new";

    private static void RemoveIfEmpty(string directory)
    {
        if (!Directory.EnumerateFileSystemEntries(directory).Any()) Directory.Delete(directory);
    }
}
