using System.Buffers.Binary;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Pages of a process that somebody waits for, on a stream of the kind <see cref="ContentKind.WantedMemory"/>: from the target which ones, from the source how many of them follow in a block. Fixed layout, 24 bytes.
/// </summary>
/// <param name="Process">The process, by its number in the images.</param>
/// <param name="Address">Where the first page was when it was dumped.</param>
/// <param name="Pages">How many, 1 to <see cref="PagesMax"/>.</param>
// spec: MIG-102
internal readonly record struct WantedRecord(ulong Process, ulong Address, uint Pages)
{
    /// <summary>Bytes of a record.</summary>
    public const int Size = 24;

    /// <summary>Pages that can be asked for at once.</summary>
    public const int PagesMax = Snapshot.SnapshotLimits.MaxBlockPages;

    /// <summary>Writes it.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Process);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Address);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], Pages);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], 0);
    }

    /// <summary>Reads one; what is none is the peer's fault.</summary>
    public static WantedRecord Read(ReadOnlySpan<byte> bytes)
    {
        WantedRecord record = ReadRun(bytes);
        PeerFault.Require(record.Pages is > 0 and <= PagesMax, "asked for no pages, or for too many at once");
        return record;
    }

    /// <summary>Reads one of as many pages as there may be, or of none.</summary>
    public static WantedRecord ReadRun(ReadOnlySpan<byte> bytes)
    {
        PeerFault.Require(BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) == 0, "asked for pages in a form that is none");
        return new WantedRecord(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]));
    }
}
