using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Several chunks in one message: their records one after the other, at most <see cref="SnapshotLimits.MaxBatchLength"/>
/// bytes, or <see cref="ZstdBatch.MaxContentLength"/> where they are going to be compressed together. Filled by one owner, sent, cleared, filled again.
/// </summary>
public sealed class ChunkBatch
{
    private readonly byte[] _buffer;
    private int _length;

    /// <summary>An empty batch to be sent as it is.</summary>
    public ChunkBatch()
        : this(SnapshotLimits.MaxBatchLength)
    {
    }

    private ChunkBatch(int capacity) => _buffer = new byte[capacity];

    /// <summary>An empty batch to be compressed by <see cref="ZstdBatch.Encode"/>.</summary>
    public static ChunkBatch ForZstd() => new(ZstdBatch.MaxContentLength);

    /// <summary>Chunks in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of content in it, before any compression.</summary>
    public long ContentLength { get; private set; }

    /// <summary>The message. Borrowed: it changes with the next <see cref="TryAdd"/> after a <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Copies a chunk in; false when it does not fit any more. An empty batch has room for any chunk.</summary>
    public bool TryAdd(in EncodedChunk chunk)
    {
        if (chunk.RecordLength > _buffer.Length - _length)
            return false;

        chunk.CopyTo(_buffer.AsSpan(_length));
        _length += chunk.RecordLength;
        Count++;
        ContentLength += chunk.Length;
        return true;
    }

    /// <summary>Empties the batch; its memory is used again.</summary>
    public void Clear() => (_length, Count, ContentLength) = (0, 0, 0);

    /// <summary>The same chunks, each compressed by itself, in batches that can be sent as they are. Of a batch that <see cref="ZstdBatch"/> makes no shorter.</summary>
    public IEnumerable<ChunkBatch> Split()
    {
        byte[] payload = new byte[SnapshotLimits.ChunkLength];
        ChunkBatch part = new();
        for (ReadOnlyMemory<byte> left = Bytes; EncodedChunk.TryParse(left, out EncodedChunk chunk, out _); left = left[chunk.RecordLength..])
        {
            EncodedChunk packed = chunk.Pack(payload);
            if (!part.TryAdd(packed))
            {
                yield return part;
                part = new ChunkBatch();
                part.TryAdd(packed);
            }
        }

        if (part.Count > 0)
            yield return part;
    }

    /// <summary>
    /// Reads a batch that a peer sent. The chunks borrow <paramref name="bytes"/>; their digests are not verified yet.
    /// Never throws; <paramref name="reason"/> says what is wrong with the first record that is no chunk.
    /// </summary>
    public static bool TryParse(
        ReadOnlyMemory<byte> bytes,
        [NotNullWhen(true)] out IReadOnlyList<EncodedChunk>? chunks,
        [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-23
        chunks = null;
        reason = "a batch is longer than MaxBatchLength";
        return bytes.Length <= SnapshotLimits.MaxBatchLength && TryParseRecords(bytes, out chunks, out reason);
    }

    /// <summary>The same of records whose length is bounded otherwise.</summary>
    internal static bool TryParseRecords(
        ReadOnlyMemory<byte> bytes,
        [NotNullWhen(true)] out IReadOnlyList<EncodedChunk>? chunks,
        [NotNullWhen(false)] out string? reason)
    {
        chunks = null;
        reason = null;
        List<EncodedChunk> parsed = [];
        while (reason is null && !bytes.IsEmpty)
        {
            if (!EncodedChunk.TryParse(bytes, out EncodedChunk chunk, out reason))
                continue;
            parsed.Add(chunk);
            bytes = bytes[chunk.RecordLength..];
        }

        if (reason is null)
            chunks = parsed;
        return chunks is not null;
    }
}
