using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>Writes the content of files out of a store. Holes stay holes. One owner.</summary>
internal sealed class FileWriter(IChunkStore store, CancellationToken cancellationToken)
{
    private const int KeepSize = 1;
    private const int PunchHole = 2;

    private readonly byte[] _cell = new byte[SnapshotLimits.ChunkLength];

    /// <summary>Bytes written so far.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Fills an empty file.</summary>
    public void Write(SafeFileHandle file, FileEntry entry)
    {
        SetSize(file, entry);
        ExtentCursor extents = new(entry.Content.Extents);
        foreach (FileCell cell in entry.Content.Cells)
            WriteCell(file, entry.Path, cell, extents);
    }

    /// <summary>
    /// Changes a file that holds <paramref name="before"/> into <paramref name="after"/>, only where they differ. False, and
    /// the file half changed, when the file system cannot make holes.
    /// </summary>
    public bool TryPatch(SafeFileHandle inode, FileEntry before, FileEntry after)
    {
        using SafeFileHandle file = Inode.TryOpenToWrite(inode) ?? throw Errno.Failure("open to write", after.Path);
        SetSize(file, after);
        foreach (FilePatch patch in FilePatch.Between(before.Content, after.Content))
        {
            if (!patch.IsDense && !TryPunch(file, patch.Offset, patch.Length, after.Path))
                return false;
            if (patch.Cell is { } cell)
                WriteCell(file, after.Path, cell, new ExtentCursor(patch.Extents));
        }

        return true;
    }

    private void WriteCell(SafeFileHandle file, TreePath path, in FileCell cell, ExtentCursor extents)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!store.TryRead(cell.Chunk, _cell, out int length))
            throw new SnapshotException($"Chunk {cell.Chunk} of \"{path}\" is missing from the store, or spoiled in it; it must be sent again.") { SpoiledChunk = cell.Chunk };
        if (length != cell.Length)
            throw new SnapshotException($"Chunk {cell.Chunk} has {length} bytes and not the {cell.Length} that \"{path}\" has there.");

        foreach (FileExtent extent in extents.Within(cell.Offset, cell.Length))
        {
            Inode.WriteAt(file, _cell.AsSpan((int)(extent.Offset - cell.Offset), (int)extent.Length), extent.Offset, path);
            BytesWritten += extent.Length;
        }
    }

    private static void SetSize(SafeFileHandle file, FileEntry entry) =>
        Errno.Check(Libc.FTruncate(file, entry.Content.Size), "set the size of", entry.Path);

    private static bool TryPunch(SafeFileHandle file, long offset, long length, TreePath path)
    {
        if (Libc.FAllocate(file, PunchHole | KeepSize, offset, length) == 0)
            return true;
        return Errno.Last == Errno.NotSupported ? false : throw Errno.Failure("make a hole in", path);
    }
}
