using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Migration.Jobs;

/// <summary>Removes a directory with everything in it, also names that are no text: symlinks are removed, never followed.</summary>
internal static class TreeRemoval
{
    private const string MountTable = "/proc/self/mountinfo";

    /// <summary>
    /// Removes <paramref name="directory"/>. Does nothing when there is none. Throws <see cref="IOException"/> when something is still mounted
    /// below it: what is mounted there may be somebody's volume.
    /// </summary>
    public static void Remove(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        if (FindMountPoint(directory) is { } mounted)
            throw new IOException($"{mounted} is still mounted; unmount it, then start again.");
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Empty(directory);
            Directory.Delete(directory);
        }
    }

    /// <summary>The fifth field of the mount table is the mount point, with blanks and the like as octal escapes.</summary>
    private static string? FindMountPoint(string directory) =>
        File.ReadLines(MountTable)
            .Select(line => line.Split(' ')[4])
            .FirstOrDefault(point => point == directory || point.StartsWith(directory + '/', StringComparison.Ordinal));

    /// <summary>A tree that holds nothing but its root: the applier deletes all else by the raw names.</summary>
    private static void Empty(string directory)
    {
        var attributes = new InodeAttributes(Mode: 0x1C0, Uid: 0, Gid: 0, default, XattrSet.Empty);
        using var applier = new TreeApplier(directory, new MemoryChunkStore());
        applier.Apply(Manifest.Create([new DirectoryEntry(TreePath.Root, attributes)]));
    }
}
