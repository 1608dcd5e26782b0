namespace P2PMigrate.Snapshot;

/// <summary>
/// The world's fault, around a tree or a store: the disk is full, a right is missing, the file system cannot hold an
/// attribute, content is not there. The message is a sentence a person can act on and names the path it is about.
/// </summary>
public sealed class SnapshotException : Exception
{
    /// <summary>Says what happened in a sentence that a person can act on.</summary>
    public SnapshotException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The chunk that a store had and that turned out to be spoiled, when this is why: sent again, it mends the matter.</summary>
    public ChunkId? SpoiledChunk { get; init; }
}
