using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Reads chunks out of the live tree that a manifest describes. What a file holds now may no longer be what the manifest
/// says: every chunk is hashed again before it is handed out, and one that has changed is stale, never wrong.
/// One owner; make several to read on several threads. Chapter 10, SNAP-62.
/// </summary>
public sealed class ChunkSource : IDisposable
{
    /// <summary>Opens the root that the manifest's scanner scanned.</summary>
    public ChunkSource(string root)
    {
        _ = root;
        throw new NotImplementedException();
    }

    /// <summary>
    /// Reads and encodes one chunk. The chunk borrows memory of this source until the next call. False when it is stale:
    /// the file is gone, shorter, or holds something else now; the next pass of the scanner will tell.
    /// </summary>
    public bool TryRead(in ChunkLocation location, out EncodedChunk chunk) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
