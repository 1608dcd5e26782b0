using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// Several chunks in one message: their records one after the other, at most <see cref="SnapshotLimits.MaxBatchLength"/>
/// bytes. Filled by one owner, sent, cleared, filled again.
/// </summary>
public sealed class ChunkBatch
{
    private readonly byte[] _buffer = new byte[SnapshotLimits.MaxBatchLength];
    private int _length;

    /// <summary>Chunks in the batch.</summary>
    public int Count { get; private set; }

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
        return true;
    }

    /// <summary>Empties the batch; its memory is used again.</summary>
    public void Clear() => (_length, Count) = (0, 0);

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
        reason = bytes.Length > SnapshotLimits.MaxBatchLength ? "a batch is longer than MaxBatchLength" : null;
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
