using System.Collections.Immutable;
using System.Diagnostics;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>
/// What a regular file holds. It is cut into cells of <see cref="SnapshotLimits.ChunkLength"/> bytes at multiples of
/// that offset (the last one shorter). A cell that any extent touches is a chunk: its whole content, holes read as zeros.
/// A cell that is all hole is not named. Immutable, equal by content. Chapter 10, section 3.
/// </summary>
public sealed class FileContent : IEquatable<FileContent>
{
    /// <summary>
    /// The caller has checked that the extents are in order, apart, not empty and inside <paramref name="size"/>, and
    /// that there is one digest for each cell they touch.
    /// </summary>
    internal FileContent(long size, ImmutableArray<FileExtent> extents, ImmutableArray<ChunkId> chunks)
    {
        Debug.Assert(CountCells(extents) == chunks.Length, "one digest for each cell with data");
        Size = size;
        Extents = extents;
        Chunks = chunks;
    }

    /// <summary>A file without a byte.</summary>
    public static FileContent Empty { get; } = new(0, [], []);

    /// <summary>Logical size in bytes, holes included.</summary>
    public long Size { get; }

    /// <summary>Where data lies; all else is hole and reads as zeros.</summary>
    public ImmutableArray<FileExtent> Extents { get; }

    /// <summary>The digests of the cells with data, by offset.</summary>
    public ImmutableArray<ChunkId> Chunks { get; }

    /// <summary>Bytes that are not hole.</summary>
    public long DataLength => Extents.Sum(extent => extent.Length);

    /// <summary>The cells with data, by offset, each with its digest.</summary>
    public IEnumerable<FileCell> Cells
    {
        get
        {
            int index = 0;
            foreach (long offset in CellOffsets(Extents))
                yield return new FileCell(offset, (int)Math.Min(SnapshotLimits.ChunkLength, Size - offset), Chunks[index++]);
        }
    }

    /// <inheritdoc/>
    public bool Equals(FileContent? other) =>
        ReferenceEquals(this, other)
        || (other is not null && Size == other.Size
            && Extents.AsSpan().SequenceEqual(other.Extents.AsSpan())
            && Chunks.AsSpan().SequenceEqual(other.Chunks.AsSpan()));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FileContent);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Size, Extents.Length, Chunks.Length);

    /// <summary>Offsets of the cells that <paramref name="extents"/> touch, ascending.</summary>
    internal static IEnumerable<long> CellOffsets(ImmutableArray<FileExtent> extents)
    {
        // spec: SNAP-05
        long next = 0;
        foreach (FileExtent extent in extents)
        {
            long first = extent.Offset / SnapshotLimits.ChunkLength * SnapshotLimits.ChunkLength;
            for (next = Math.Max(next, first); next < extent.End; next += SnapshotLimits.ChunkLength)
                yield return next;
        }
    }

    /// <summary>How many cells <paramref name="extents"/> touch, without walking them.</summary>
    internal static long CountCells(ImmutableArray<FileExtent> extents)
    {
        long count = 0;
        long next = 0;
        foreach (FileExtent extent in extents)
        {
            long first = Math.Max(next, extent.Offset / SnapshotLimits.ChunkLength);
            next = ((extent.End - 1) / SnapshotLimits.ChunkLength) + 1;
            count += Math.Max(0, next - first);
        }

        return count;
    }
}

/// <summary>A piece of a file that holds data.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">How long it is; more than 0.</param>
public readonly record struct FileExtent(long Offset, long Length)
{
    /// <summary>The offset of the first byte behind it.</summary>
    public long End => Offset + Length;
}

/// <summary>A cell of a file that holds data.</summary>
/// <param name="Offset">Where it begins: a multiple of <see cref="SnapshotLimits.ChunkLength"/>.</param>
/// <param name="Length">Its length; shorter than the others only at the end of the file.</param>
/// <param name="Chunk">The digest of its content.</param>
public readonly record struct FileCell(long Offset, int Length, ChunkId Chunk);
