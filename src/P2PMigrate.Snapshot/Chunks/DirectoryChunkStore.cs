using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Keeps each chunk as a file of its own: <c>ab/cdef…</c>, named by digest, holding the record of chapter 10, section 5.
/// Crash-safe without a single fsync: a file appears whole by renaming, and one that a loss of power has spoiled fails
/// its digest, is removed and counts as absent. What is there is listed once at the start and remembered. The directory
/// belongs to one store at a time.
/// </summary>
public sealed class DirectoryChunkStore : IChunkStore
{
    /// <summary>Opens a store in <paramref name="directory"/>, which is made if need be; leftovers of a crash are removed.</summary>
    public DirectoryChunkStore(string directory)
    {
        _ = directory;
        throw new NotImplementedException();
    }

    /// <inheritdoc/>
    public int Count => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool Contains(in ChunkId id) => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason) => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool TryRead(in ChunkId id, Span<byte> destination, out int length) => throw new NotImplementedException();
}
