using System.Numerics;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>What stands in front of a page block's payload.</summary>
/// <param name="Pages">Pages that the block holds, those of zeros included.</param>
/// <param name="PayloadLength">Bytes behind the header.</param>
/// <param name="Zeros">Bit i: page i is all zeros and not in the payload.</param>
/// <param name="Checksum">XXH3 (64 bits, seed 0) of the pages that are in the payload, decompressed.</param>
public readonly record struct PageBlockHeader(int Pages, uint PayloadLength, ulong Zeros, ulong Checksum)
{
    /// <summary>Bytes of the whole block.</summary>
    public int Length => PageBlock.HeaderSize + (int)PayloadLength;

    /// <summary>Bytes of all its pages.</summary>
    public int ContentLength => Pages * PageRun.PageSize;

    /// <summary>Bytes of the pages that are in the payload.</summary>
    internal int StoredLength => (Pages - BitOperations.PopCount(Zeros)) * PageRun.PageSize;

    /// <summary>Is every field within its bounds, and do they fit each other?</summary>
    internal bool IsSound =>
        Pages is > 0 and <= SnapshotLimits.MaxBlockPages
        && (Pages == 64 || Zeros >> Pages == 0)
        && PayloadLength <= StoredLength
        && (PayloadLength == 0) == (StoredLength == 0);
}
