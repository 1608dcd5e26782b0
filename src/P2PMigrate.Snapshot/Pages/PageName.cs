using System.Buffers.Binary;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>What a memory page is called within one job: pages of equal names have equal content. <c>default</c> is the page of zeros.</summary>
// spec: MEM-01
public readonly record struct PageName(UInt128 Value)
{
    /// <summary>Bytes of a name.</summary>
    public const int Size = 16;

    /// <summary>Is it the page of zeros?</summary>
    public bool IsZeros => Value == UInt128.Zero;

    /// <summary>Reads a name from its first <see cref="Size"/> bytes.</summary>
    internal static PageName Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128LittleEndian(bytes));

    /// <summary>Writes the name.</summary>
    internal void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128LittleEndian(destination, Value);
}
