using System.Collections.Immutable;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>One cell in which a file must change.</summary>
/// <param name="Offset">Where the cell begins.</param>
/// <param name="Length">Its length in the new file.</param>
/// <param name="Cell">What it holds then; null when it becomes hole.</param>
/// <param name="Extents">Where it holds data then.</param>
internal readonly record struct FilePatch(long Offset, int Length, FileCell? Cell, ImmutableArray<FileExtent> Extents)
{
    /// <summary>Smaller files are made anew: that never leaves half a file behind, and costs nothing.</summary>
    public const long MinFileSize = 1 << 20;

    /// <summary>Is there no hole in it?</summary>
    public bool IsDense => Extents.Length == 1 && Extents[0].Length == Length;

    /// <summary>Is a file large enough, and enough of it equal, to be changed in place?</summary>
    public static bool IsWorthwhile(FileContent before, FileContent after)
    {
        if (before.Size < MinFileSize || after.Size < MinFileSize)
            return false;

        int changed = Between(before, after).Count(patch => patch.Cell is not null);
        return changed <= after.Chunks.Length / 2;
    }

    /// <summary>The cells that differ, by offset.</summary>
    public static IEnumerable<FilePatch> Between(FileContent before, FileContent after)
    {
        ExtentCursor oldExtents = new(before.Extents);
        ExtentCursor newExtents = new(after.Extents);
        foreach ((FileCell? old, FileCell? cell) in Pairs(before, after))
        {
            long offset = (old ?? cell)!.Value.Offset;
            int length = (int)Math.Min(SnapshotLimits.ChunkLength, after.Size - offset);
            if (length <= 0)
                yield break; // beyond the new end

            ImmutableArray<FileExtent> extents = [.. newExtents.Within(offset, length)];
            if (old != cell || !oldExtents.Within(offset, length).SequenceEqual(extents))
                yield return new FilePatch(offset, length, cell, extents);
        }
    }

    private static IEnumerable<(FileCell? Before, FileCell? After)> Pairs(FileContent before, FileContent after)
    {
        using IEnumerator<FileCell> left = before.Cells.GetEnumerator();
        using IEnumerator<FileCell> right = after.Cells.GetEnumerator();
        FileCell? old = Next(left);
        FileCell? cell = Next(right);
        while (old is not null || cell is not null)
        {
            long offset = Math.Min(old?.Offset ?? long.MaxValue, cell?.Offset ?? long.MaxValue);
            bool hasOld = old?.Offset == offset;
            bool hasNew = cell?.Offset == offset;
            yield return (hasOld ? old : null, hasNew ? cell : null);
            old = hasOld ? Next(left) : old;
            cell = hasNew ? Next(right) : cell;
        }
    }

    private static FileCell? Next(IEnumerator<FileCell> cells) => cells.MoveNext() ? cells.Current : null;
}
