using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// What stands between page blocks on a MEMORY or a LIVE_MEMORY stream. 20 bytes, little-endian:
/// <code>
/// 0  u32 kind     1 space         2 run      3 end                      4 fresh            5 kept
/// 4  u64          id of space     address    pages in the whole stream  number, or 0       number of the first
/// 12 u32          kind of space   pages      0                          pages              pages
/// 16 u32          0               flags      0                          0                  0
/// </code>
/// Behind a run that is present follow fresh and kept pages until it is complete; behind fresh pages follows one page block with just these.
/// </summary>
// spec: MIG-26, MIG-80
internal readonly record struct PageRecord(PageRecordKind Kind, ulong Number, uint First, uint Second)
{
    /// <summary>Bytes of a record.</summary>
    public const int Size = 20;

    /// <summary>Pages of one run; a run covers no more than 8 TiB.</summary>
    public const uint RunPagesMax = 1u << 31;

    /// <summary>The space that follows.</summary>
    public PageSpace Space => new((PageSpaceKind)First, Number);

    /// <summary>The run whose pages follow.</summary>
    public PageRun Run => new(Number, First, Second);

    /// <summary>A space begins.</summary>
    public static PageRecord Of(PageSpace space) => new(PageRecordKind.Space, space.Id, (uint)space.Kind, 0);

    /// <summary>A run begins.</summary>
    public static PageRecord Of(PageRun run) => new(PageRecordKind.Run, run.Address, run.Pages, run.Flags);

    /// <summary>Nothing follows.</summary>
    public static PageRecord End(long pages) => new(PageRecordKind.End, (ulong)pages, 0, 0);

    /// <summary>A page block of so many pages follows, the first of which has this number in the target's store (on a MEMORY stream, 0).</summary>
    public static PageRecord Fresh(ulong number, int pages) => new(PageRecordKind.Fresh, number, (uint)pages, 0);

    /// <summary>So many pages that the target keeps.</summary>
    public static PageRecord Kept(ulong number, int pages) => new(PageRecordKind.Kept, number, (uint)pages, 0);

    /// <summary>Writes the record.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)Kind);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[4..], Number);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], First);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Second);
    }

    /// <summary>Reads a record; false and a reason when it is cut short or makes no sense.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out PageRecord record, [NotNullWhen(false)] out string? reason)
    {
        record = default;
        reason = "sent a page record that is cut short";
        if (bytes.Length < Size)
            return false;
        record = new PageRecord(
            (PageRecordKind)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));
        reason = record.FindFault();
        return reason is null;
    }

    private string? FindFault() => Kind switch
    {
        PageRecordKind.Space => Space.Kind is PageSpaceKind.Process or PageSpaceKind.SharedMemory && Second == 0
            ? null : "opened a page space of an unknown kind",
        PageRecordKind.Run => Run.Pages is > 0 and <= RunPagesMax
            && Run.Address % PageRun.PageSize == 0
            && Run.Address <= ulong.MaxValue - ((ulong)Run.Pages * PageRun.PageSize)
            ? null : "sent a run of pages that cannot be",
        PageRecordKind.End => First == 0 && Second == 0 ? null : "ended memory in an unknown way",
        PageRecordKind.Fresh => First is > 0 and <= SnapshotLimits.MaxBlockPages && Second == 0 ? null : "announced pages in an unknown way",
        PageRecordKind.Kept => First is > 0 and <= RunPagesMax && Second == 0 ? null : "named pages in an unknown way",
        _ => "sent a page record of an unknown kind",
    };
}

/// <summary>Kinds of <see cref="PageRecord"/>.</summary>
internal enum PageRecordKind : uint
{
    /// <summary>A space begins.</summary>
    Space = 1,

    /// <summary>A run begins.</summary>
    Run = 2,

    /// <summary>Nothing follows.</summary>
    End = 3,

    /// <summary>A page block follows.</summary>
    Fresh = 4,

    /// <summary>Pages that the target has.</summary>
    Kept = 5,
}
