using System.Buffers.Binary;
using System.Security.Cryptography;

namespace P2PMigrate.Migration.Journal;

/// <summary>
/// The bytes of a journal: a head block and a fixed number of slots, all written as zeros when the file is made. A record fills one
/// slot and thus one disk sector; its digest covers the slot and the digest before it.
/// <code>
/// head   0      8 magic "P2PMJRN1" · 4 payload length (u32, little-endian) · payload · zeros · 32 digest
/// slot   16384 + 512 * i          4 number, i + 1 (u32) · 2 payload length (u16) · payload · zeros · 32 digest
/// </code>
/// </summary>
// spec: MIG-50, MIG-51
internal static class JournalFormat
{
    /// <summary>Bytes of the head block.</summary>
    public const int HeadLength = 16 * 1024;

    /// <summary>Bytes of a slot.</summary>
    public const int SlotLength = 512;

    /// <summary>Records in a journal; no job writes more.</summary>
    public const int Slots = 32;

    /// <summary>Bytes of the file, from its first to its last day.</summary>
    public const int FileLength = HeadLength + (Slots * SlotLength);

    /// <summary>Bytes of the payload of a record.</summary>
    public const int MaxRecordLength = SlotLength - SlotPrefix - DigestLength;

    private const int DigestLength = SHA256.HashSizeInBytes;
    private const int HeadPrefix = 12;
    private const int SlotPrefix = 6;

    private static ReadOnlySpan<byte> Magic => "P2PMJRN1"u8;

    /// <summary>Where a slot begins.</summary>
    public static int SlotOffset(int slot) => HeadLength + (slot * SlotLength);

    /// <summary>The digest at the end of a block.</summary>
    public static ReadOnlySpan<byte> DigestOf(ReadOnlySpan<byte> block) => block[^DigestLength..];

    /// <summary>Fills a head block.</summary>
    public static void WriteHead(Span<byte> block, ReadOnlySpan<byte> payload)
    {
        block.Clear();
        Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], (uint)payload.Length);
        payload.CopyTo(block[HeadPrefix..^DigestLength]);
        SHA256.HashData(block[..^DigestLength], block[^DigestLength..]);
    }

    /// <summary>The payload of a head block; false when it is not what <see cref="WriteHead"/> wrote.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> block, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        Span<byte> digest = stackalloc byte[DigestLength];
        SHA256.HashData(block[..^DigestLength], digest);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(block[8..]);
        bool isWhole = block.StartsWith(Magic) && digest.SequenceEqual(DigestOf(block)) && length <= HeadLength - HeadPrefix - DigestLength;
        if (isWhole)
            payload = block.Slice(HeadPrefix, (int)length);
        return isWhole;
    }

    /// <summary>Fills slot <paramref name="slot"/>, which follows a block with the digest <paramref name="previous"/>.</summary>
    public static void WriteSlot(Span<byte> block, int slot, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> previous)
    {
        block.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(block, (uint)slot + 1);
        BinaryPrimitives.WriteUInt16LittleEndian(block[4..], (ushort)payload.Length);
        payload.CopyTo(block[SlotPrefix..^DigestLength]);
        Chain(block[..^DigestLength], previous, block[^DigestLength..]);
    }

    /// <summary>The payload of a slot; false when it is not what <see cref="WriteSlot"/> wrote at this place.</summary>
    public static bool TryReadSlot(ReadOnlySpan<byte> block, int slot, ReadOnlySpan<byte> previous, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        Span<byte> digest = stackalloc byte[DigestLength];
        Chain(block[..^DigestLength], previous, digest);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]);
        bool isWhole = digest.SequenceEqual(DigestOf(block))
            && BinaryPrimitives.ReadUInt32LittleEndian(block) == slot + 1
            && length <= MaxRecordLength;
        if (isWhole)
            payload = block.Slice(SlotPrefix, length);
        return isWhole;
    }

    private static void Chain(ReadOnlySpan<byte> content, ReadOnlySpan<byte> previous, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        hash.AppendData(content);
        hash.GetHashAndReset(digest);
    }
}
