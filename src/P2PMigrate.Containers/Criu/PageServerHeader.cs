using System.Buffers.Binary;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Criu;

/// <summary>What CRIU asks of a page server (the low 16 bits of the command word).</summary>
internal enum PageServerCommand : ushort
{
    /// <summary>Pages with content, without flags (old).</summary>
    Add = 1,

    /// <summary>Pages whose content is in an earlier snapshot (old).</summary>
    Hole = 2,

    /// <summary>A new page space; wants no answer (old).</summary>
    Open = 3,

    /// <summary>A new page space; wants one byte: is there an earlier snapshot of it?</summary>
    Open2 = 4,

    /// <summary>Wants an int32: is there an earlier snapshot of the space?</summary>
    Parent = 5,

    /// <summary>Pages with flags; content follows when they say that it is present.</summary>
    AddFlagged = 6,

    /// <summary>A lazy restore asks for pages.</summary>
    Get = 7,

    /// <summary>No more pages; wants an int32 zero once all of them are safe.</summary>
    Close = 0x1023,

    /// <summary>As <see cref="Close"/>, from a CRIU that was handed its socket.</summary>
    ForceClose = 0x1024,
}

/// <summary>
/// How a version of CRIU lays out a page-server header; nothing on the wire tells, so it follows the version of the local program.
/// <code>
/// up to 4.1, 24 bytes:  u32 command  u32 pages                u64 address  u64 destination
/// from 4.2,  32 bytes:  u32 command  u32 (unused)  u64 pages  u64 address  u64 destination
/// command = flags &lt;&lt; 16 | code          destination = id &lt;&lt; 8 | kind          all little-endian
/// </code>
/// </summary>
internal readonly record struct PageServerDialect(bool WideCounts)
{
    private static readonly ToolVersion s_firstWide = new(4, 2);

    /// <summary>The dialect that this CRIU speaks.</summary>
    public static PageServerDialect Of(ToolVersion criu) => new(criu >= s_firstWide);

    /// <summary>Bytes in a header.</summary>
    public int HeaderSize => WideCounts ? 32 : 24;
}

/// <summary>One header of the page-server protocol, in either dialect.</summary>
internal readonly record struct PageServerHeader(PageServerCommand Command, ushort Flags, ulong Pages, ulong Address, ulong Destination)
{
    /// <summary>Reads a header from exactly <see cref="PageServerDialect.HeaderSize"/> bytes; false when there are more or fewer.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, PageServerDialect dialect, out PageServerHeader header)
    {
        header = default;
        if (bytes.Length != dialect.HeaderSize) return false;

        uint command = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        ulong pages = dialect.WideCounts
            ? BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])
            : BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        ReadOnlySpan<byte> rest = bytes[^16..];
        header = new PageServerHeader(
            (PageServerCommand)(command & 0xFFFF),
            (ushort)(command >> 16),
            pages,
            BinaryPrimitives.ReadUInt64LittleEndian(rest),
            BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
        return true;
    }

    /// <summary>Writes the header, <see cref="PageServerDialect.HeaderSize"/> bytes.</summary>
    public void Write(Span<byte> bytes, PageServerDialect dialect)
    {
        bytes = bytes[..dialect.HeaderSize];
        bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Flags << 16 | (ushort)Command);
        if (dialect.WideCounts) BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Pages);
        else BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], checked((uint)Pages));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[^16..], Address);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[^8..], Destination);
    }
}
