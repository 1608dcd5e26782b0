using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Depots;

/// <summary>Chunks on their way into one object: filled by one owner, sent, cleared, filled again.</summary>
// spec: DEP-10
internal sealed class ContentPack
{
    private readonly byte[] _bytes = new byte[DepotLimits.PackLength + EncodedChunk.MaxRecordLength];
    private readonly List<ChunkId> _chunks = [];
    private int _length;

    /// <summary>Is it time to send it?</summary>
    public bool IsFull => _length >= DepotLimits.PackLength;

    /// <summary>Is there nothing in it?</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>The chunks' records. Borrowed: it changes after <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, _length);

    /// <summary>The chunks' digests in their order.</summary>
    public IReadOnlyList<ChunkId> Chunks => _chunks;

    /// <summary>Adds a chunk; the pack is not full.</summary>
    public void Add(in EncodedChunk chunk)
    {
        chunk.CopyTo(_bytes.AsSpan(_length));
        _length += chunk.RecordLength;
        _chunks.Add(chunk.Id);
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _length = 0;
        _chunks.Clear();
    }

    /// <summary>The chunks of a pack; they borrow <paramref name="content"/> and are not verified. <paramref name="name"/> is for the sentence when it is none.</summary>
    public static IReadOnlyList<EncodedChunk> Read(ReadOnlyMemory<byte> content, string name)
    {
        var chunks = new List<EncodedChunk>();
        while (!content.IsEmpty)
        {
            if (!EncodedChunk.TryParse(content, out EncodedChunk chunk, out string? reason))
                throw Depot.Damaged(name, $"is damaged: {reason}");
            chunks.Add(chunk);
            content = content[chunk.RecordLength..];
        }

        return chunks;
    }

    /// <summary>An index of these chunks.</summary>
    public static byte[] WriteIndex(IReadOnlyList<ChunkId> chunks)
    {
        byte[] index = new byte[chunks.Count * ChunkId.Size];
        for (int i = 0; i < chunks.Count; i++)
        {
            ChunkId id = chunks[i];
            ((ReadOnlySpan<byte>)id).CopyTo(index.AsSpan(i * ChunkId.Size));
        }

        return index;
    }

    /// <summary>The chunks that an index names.</summary>
    public static IReadOnlyList<ChunkId> ReadIndex(ReadOnlyMemory<byte> index, string name)
    {
        var chunks = new ChunkId[index.Length / ChunkId.Size];
        bool isWhole = index.Length % ChunkId.Size == 0;
        for (int i = 0; i < chunks.Length; i++)
            isWhole &= ChunkId.TryParse(index.Span.Slice(i * ChunkId.Size, ChunkId.Size), out chunks[i]);
        return isWhole ? chunks : throw Depot.Damaged(name, "is damaged: no list of digests");
    }
}
