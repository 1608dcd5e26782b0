using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Numerics;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>
/// Up to <see cref="SnapshotLimits.MaxBlockPages"/> memory pages as they travel: a page of zeros is only a bit, the others
/// are compressed together where that pays, and a checksum of them guards against faults on the way (not against a
/// peer, who may send what he likes). No state. Chapter 10, section 7.
/// </summary>
public static class PageBlock
{
    /// <summary>Bytes in front of the payload: u16 pages, u16 zero, u32 payload length, u64 zero bitmap, u64 checksum; little-endian.</summary>
    public const int HeaderSize = 24;

    /// <summary>Bytes of the pages of the longest block.</summary>
    public const int MaxContentLength = SnapshotLimits.MaxBlockPages * PageRun.PageSize;

    /// <summary>Bytes of the longest block.</summary>
    public const int MaxLength = HeaderSize + MaxContentLength;

    /// <summary>
    /// Encodes whole <paramref name="pages"/>, 1 to <see cref="SnapshotLimits.MaxBlockPages"/> of them, into
    /// <paramref name="destination"/>, which has room for <see cref="MaxLength"/> bytes, and returns the length of the
    /// block. Without <paramref name="compress"/> only pages of zeros are saved.
    /// </summary>
    public static int Encode(ReadOnlySpan<byte> pages, Span<byte> destination, bool compress = true)
    {
        Debug.Assert(pages.Length is > 0 and <= MaxContentLength && pages.Length % PageRun.PageSize == 0, "whole pages, not too many");
        ulong zeros = FindZeros(pages);
        if (zeros == 0)
            return Write(pages, pages.Length / PageRun.PageSize, zeros, destination, compress);

        using PooledBuffer rest = new(pages.Length);
        int length = Gather(pages, zeros, rest.Span);
        return Write(rest.Span[..length], pages.Length / PageRun.PageSize, zeros, destination, compress);
    }

    /// <summary>
    /// Reads the header at the beginning of <paramref name="bytes"/>, so that a reader of a stream knows how long the
    /// block is and how many pages it holds. False, with a reason, when it is cut short or out of bounds.
    /// </summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out PageBlockHeader header, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-71
        header = default;
        reason = "a page block is cut short";
        if (bytes.Length < HeaderSize)
            return false;

        header = new PageBlockHeader(
            BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]));
        reason = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) == 0 && header.IsSound ? null : "a page block's header is out of bounds";
        return reason is null;
    }

    /// <summary>
    /// Decodes the block at the beginning of <paramref name="bytes"/> into <paramref name="pages"/>, which has room for
    /// <see cref="MaxContentLength"/> bytes. Never throws on what it reads; false, with a reason and rubbish in
    /// <paramref name="pages"/>, for anything that <see cref="Encode"/> has not made.
    /// </summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes, Span<byte> pages, out PageBlockHeader header, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-72
        if (!TryReadHeader(bytes, out header, out reason))
            return false;

        if (bytes.Length < header.Length)
        {
            reason = "a page block is cut short";
            return false;
        }

        Span<byte> content = pages[..header.StoredLength];
        if (!TryReadPayload(bytes[HeaderSize..header.Length], content))
            reason = "a page block is no LZ4 block of the length it claims";
        else if (XxHash3.HashToUInt64(content) != header.Checksum)
            reason = "a page block does not have the checksum it claims";
        else
            Scatter(pages[..header.ContentLength], header.Zeros);
        return reason is null;
    }

    private static ulong FindZeros(ReadOnlySpan<byte> pages)
    {
        // spec: SNAP-70
        ulong zeros = 0;
        for (int index = 0; index * PageRun.PageSize < pages.Length; index++)
        {
            if (!Page(pages, index).ContainsAnyExcept((byte)0))
                zeros |= 1UL << index;
        }

        return zeros;
    }

    private static int Gather(ReadOnlySpan<byte> pages, ulong zeros, Span<byte> rest)
    {
        int length = 0;
        for (int index = 0; index * PageRun.PageSize < pages.Length; index++)
        {
            if ((zeros & (1UL << index)) != 0)
                continue;
            Page(pages, index).CopyTo(rest[length..]);
            length += PageRun.PageSize;
        }

        return length;
    }

    /// <summary>Moves the stored pages, which lie at the front, to their places, last first so that none is overwritten.</summary>
    private static void Scatter(Span<byte> pages, ulong zeros)
    {
        int count = pages.Length / PageRun.PageSize;
        int stored = count - BitOperations.PopCount(zeros);
        for (int index = count - 1; index >= 0 && stored <= index; index--)
        {
            Span<byte> page = pages.Slice(index * PageRun.PageSize, PageRun.PageSize);
            if ((zeros & (1UL << index)) != 0)
                page.Clear();
            else
                Page(pages, --stored).CopyTo(page);
        }
    }

    private static int Write(ReadOnlySpan<byte> content, int pages, ulong zeros, Span<byte> destination, bool compress)
    {
        Span<byte> payload = destination[HeaderSize..];
        int length = content.Length;
        if (compress && length > 0)
            length = Lz4Block.Encode(content, payload);
        else
            content.CopyTo(payload);

        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)pages);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (uint)length);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], zeros);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], XxHash3.HashToUInt64(content));
        return HeaderSize + length;
    }

    private static bool TryReadPayload(ReadOnlySpan<byte> payload, Span<byte> content) =>
        content.IsEmpty || Lz4Block.TryDecode(payload, content);

    private static ReadOnlySpan<byte> Page(ReadOnlySpan<byte> pages, int index) => pages.Slice(index * PageRun.PageSize, PageRun.PageSize);
}
