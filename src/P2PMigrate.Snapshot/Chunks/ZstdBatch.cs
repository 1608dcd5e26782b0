using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ZstdSharp;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// A batch of chunks that are compressed together: what one file has in common with its neighbours is said once, which a chunk alone cannot do. Only for a
/// target that has said that it takes them. Chapter 10, section 5.2.
/// </summary>
public static class ZstdBatch
{
    /// <summary>Bytes of the records in a batch, before compression; what a reader has to have room for.</summary>
    // spec: CONST-420
    public const int MaxContentLength = 4 << 20;

    /// <summary>Bytes of a batch: shorter than its records.</summary>
    public const int MaxLength = MaxContentLength - 1;

    /// <summary>Of a Debian root file system with Python: 3 makes a third, 5 a twenty-fifth less than that for half as much time again, 6 the same again.</summary>
    // spec: CONST-421
    private const int Level = 5;

    private const int HeaderSize = sizeof(uint) + sizeof(uint);

    /// <summary>
    /// Compresses a batch whose chunks are raw into <paramref name="destination"/>, which is as long as the batch. Returns the bytes written; 0, and rubbish there, when that would not be shorter.
    /// </summary>
    public static int Encode(ChunkBatch batch, Span<byte> destination)
    {
        // spec: SNAP-110, SNAP-114
        ReadOnlySpan<byte> records = batch.Bytes.Span;
        if (records.Length <= HeaderSize)
            return 0;
        BinaryPrimitives.WriteUInt32LittleEndian(destination, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[sizeof(uint)..], (uint)records.Length);
        using Compressor compressor = new(Level);
        return compressor.TryWrap(records, destination[HeaderSize..(records.Length - 1)], out int length) ? HeaderSize + length : 0;
    }

    /// <summary>Is this such a batch, and not records as they are? A record cannot begin so.</summary>
    public static bool IsOne(ReadOnlySpan<byte> bytes) => bytes.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == 0;

    /// <summary>
    /// Reads a batch that a peer sent; digests are not verified yet. Never throws, and needs no more memory than <see cref="MaxContentLength"/> and what
    /// a decompressor has at all; <paramref name="reason"/> says what is wrong.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> bytes,
        [NotNullWhen(true)] out IReadOnlyList<EncodedChunk>? chunks,
        [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-111
        chunks = null;
        uint length = bytes.Length >= HeaderSize ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[sizeof(uint)..]) : 0;
        if (!IsOne(bytes) || length > MaxContentLength || length <= bytes.Length)
        {
            reason = "a compressed batch's lengths are out of bounds";
            return false;
        }

        byte[] records = new byte[(int)length];
        if (!TryDecompress(bytes[HeaderSize..], records))
        {
            reason = "a compressed batch is no zstd frame of the length it claims";
            return false;
        }

        return TryParseRecords(records, out chunks, out reason);
    }

    private static bool TryParseRecords(
        ReadOnlyMemory<byte> records, [NotNullWhen(true)] out IReadOnlyList<EncodedChunk>? chunks, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-112
        if (ChunkBatch.TryParseRecords(records, out chunks, out reason) && !chunks.All(chunk => chunk.IsRaw))
        {
            chunks = null;
            reason = "a chunk in a compressed batch is compressed once more";
        }

        return chunks is not null && reason is null;
    }

    /// <summary>Whatever the bytes say, no more is written than there is room for, which is why no window is needed beside it.</summary>
    private static bool TryDecompress(ReadOnlySpan<byte> frame, Span<byte> content)
    {
        try
        {
            using Decompressor decompressor = new();
            return decompressor.TryUnwrap(frame, content, out int length) && length == content.Length;
        }
        catch (ZstdException)
        {
            return false;
        }
    }
}
