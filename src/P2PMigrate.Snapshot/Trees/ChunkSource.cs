using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Reads chunks out of the live tree that a manifest describes. What a file holds now may no longer be what the manifest
/// says: every chunk is hashed again before it is handed out, and one that has changed is stale, never wrong.
/// One owner; make several to read on several threads. Chapter 10, section 6.
/// </summary>
public sealed class ChunkSource : IDisposable
{
    private readonly TreeRoot _root;
    private readonly byte[] _content = new byte[SnapshotLimits.ChunkLength];
    private readonly byte[] _payload = new byte[SnapshotLimits.ChunkLength];
    private TreePath _path;
    private SafeFileHandle? _file;

    /// <summary>Opens the root that the manifest's scanner scanned. Throws <see cref="SnapshotException"/> when that cannot be.</summary>
    public ChunkSource(string root)
        : this(new TreeLocation(root))
    {
    }

    /// <summary>The same with what is grafted there.</summary>
    public ChunkSource(TreeLocation location) => _root = TreeRoot.Open(location);

    /// <summary>
    /// Reads and compresses one chunk. The chunk borrows memory of this source until the next call. False when it is stale:
    /// the file is gone, shorter, or holds something else now; the next pass of the scanner will tell.
    /// </summary>
    public bool TryRead(in ChunkLocation location, out EncodedChunk chunk)
    {
        bool isThere = TryReadRaw(location, out chunk);
        if (isThere)
            chunk = chunk.Pack(_payload);
        return isThere;
    }

    /// <summary>The same without compression.</summary>
    public bool TryReadRaw(in ChunkLocation location, out EncodedChunk chunk)
    {
        // spec: SNAP-62
        chunk = default;
        if (!TryOpen(location.Path))
            return false;

        Memory<byte> content = _content.AsMemory(0, location.Length);
        if (Inode.ReadAt(_file!, content.Span, location.Offset, location.Path) < content.Length || ChunkId.Of(content.Span) != location.Chunk)
            return false;

        chunk = EncodedChunk.Raw(location.Chunk, content);
        return true;
    }

    /// <summary>Closes the file that is kept open until something is read again: another one may have its name by then.</summary>
    public void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _root.Dispose();
    }

    /// <summary>Opens a file, or keeps the one that is open: the chunks of a file are asked for in a row.</summary>
    private bool TryOpen(TreePath path)
    {
        if (_file is not null && path == _path)
            return true;

        Close();
        _file = _root.TryOpenFile(path);
        _path = path;
        return _file is not null;
    }
}
