using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>Keeps chunks in memory, for tests and small trees. Grows without bound; its owner bounds what is written.</summary>
public sealed class MemoryChunkStore : IChunkStore
{
    private readonly ConcurrentDictionary<ChunkId, byte[]> _contents = new();

    /// <inheritdoc/>
    public int Count => _contents.Count;

    /// <inheritdoc/>
    public bool Contains(in ChunkId id) => _contents.ContainsKey(id);

    /// <inheritdoc/>
    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        if (_contents.ContainsKey(chunk.Id))
            return true;

        byte[] content = new byte[chunk.Length];
        if (!chunk.TryDecode(content, out reason))
            return false;

        _contents.TryAdd(chunk.Id, content);
        return true;
    }

    /// <inheritdoc/>
    public bool TryRead(in ChunkId id, Span<byte> destination, out int length)
    {
        length = 0;
        if (!_contents.TryGetValue(id, out byte[]? content))
            return false;

        content.CopyTo(destination);
        length = content.Length;
        return true;
    }
}
