using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>Finds where a file has data.</summary>
internal static class FileExtents
{
    /// <summary>
    /// The extents of the first <paramref name="size"/> bytes. A file system that keeps no holes reports one extent. What
    /// lies beyond <see cref="SnapshotLimits.MaxExtents"/> is joined into the last one, holes and all.
    /// </summary>
    public static ImmutableArray<FileExtent> Read(SafeFileHandle file, TreePath path, long size)
    {
        // spec: SNAP-06
        ImmutableArray<FileExtent>.Builder extents = ImmutableArray.CreateBuilder<FileExtent>(1);
        long end = 0;
        while (end < size && Seek(file, end, Libc.SeekData, path) is { } start && start < size)
        {
            end = Math.Min(size, Seek(file, start, Libc.SeekHole, path) ?? size);
            Add(extents, start, end);
        }

        return extents.DrainToImmutable();
    }

    private static void Add(ImmutableArray<FileExtent>.Builder extents, long start, long end)
    {
        // A writer at work may fill or punch between two seeks, so that extents touch or are empty.
        bool isApart = extents.Count == 0 || start > extents[^1].End;
        if (isApart && end > start && extents.Count < SnapshotLimits.MaxExtents)
            extents.Add(new FileExtent(start, end - start));
        else if (extents.Count > 0)
            extents[^1] = extents[^1] with { Length = end - extents[^1].Offset };
    }

    /// <summary>The next data or hole from <paramref name="offset"/>, or null when there is none.</summary>
    private static long? Seek(SafeFileHandle file, long offset, int whence, TreePath path)
    {
        long found = Libc.LSeek(file, offset, whence);
        if (found >= 0)
            return found;
        return Errno.Last == Errno.NoSuchDeviceOrAddress ? null : throw Errno.Failure("find the holes of", path);
    }
}
