using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Holds chunks by name. What it hands out is what the name says: content is verified on the way in and on the way out;
/// a chunk that has gone bad inside is as if it had never been there. Any thread may call at any time. The world's
/// fault (disk full, no right) is a <see cref="SnapshotException"/>.
/// </summary>
public interface IChunkStore
{
    /// <summary>Chunks in the store.</summary>
    int Count { get; }

    /// <summary>Is the chunk there? Answered from memory. Only <see cref="TryRead"/> proves that it is still good.</summary>
    bool Contains(in ChunkId id);

    /// <summary>
    /// Verifies <paramref name="chunk"/> and keeps a copy of it. False, with a reason, when its content is not what its
    /// name says: the peer's fault. Writing what is already there does nothing.
    /// </summary>
    bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason);

    /// <summary>
    /// Puts the content of a chunk into <paramref name="destination"/>, which has room for
    /// <see cref="SnapshotLimits.ChunkLength"/> bytes. False when it is not there, or no longer good.
    /// </summary>
    bool TryRead(in ChunkId id, Span<byte> destination, out int length);
}
