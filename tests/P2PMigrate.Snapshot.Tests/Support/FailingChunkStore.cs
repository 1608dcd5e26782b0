using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>A store whose disk breaks after so many reads, until it is mended.</summary>
internal sealed class FailingChunkStore(IChunkStore inner, int readsLeft) : IChunkStore
{
    private int _readsLeft = readsLeft;

    public int Count => inner.Count;

    public void Mend() => _readsLeft = int.MaxValue;

    public bool Contains(in ChunkId id) => inner.Contains(id);

    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason) => inner.TryWrite(chunk, out reason);

    public bool TryRead(in ChunkId id, Span<byte> destination, out int length) =>
        _readsLeft-- > 0 ? inner.TryRead(id, destination, out length) : throw new SnapshotException("The disk broke.");
}
