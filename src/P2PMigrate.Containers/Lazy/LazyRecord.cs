using System.Runtime.InteropServices;

namespace P2PMigrate.Containers.Lazy;

/// <summary>What a <see cref="LazyRecord"/> says.</summary>
internal enum LazyRecordKind
{
    /// <summary>Nothing; the records end here.</summary>
    None = 0,

    /// <summary>CRIU has handed over a process.</summary>
    Process = 1,

    /// <summary>The kernel has said something of an address space.</summary>
    Event = 2,

    /// <summary>CRIU has restored everything.</summary>
    Restored = 3,

    /// <summary>An address space has ended or lacks nothing any more, and its descriptor is closed next.</summary>
    Gone = 4,
}

/// <summary>What the kernel says of an address space (<c>UFFD_EVENT_*</c>).</summary>
internal enum FaultEvent : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Somebody waits for a page.</summary>
    PageFault = 0x12,

    /// <summary>It was copied, by a fork.</summary>
    Fork = 0x13,

    /// <summary>A part of it was moved.</summary>
    Remap = 0x14,

    /// <summary>The content of a part of it was given up.</summary>
    Remove = 0x15,

    /// <summary>A part of it is not mapped any more.</summary>
    Unmap = 0x16,
}

/// <summary>
/// One thing that changed which pages are missing where. The middle is <c>struct uffd_msg</c>, into which the kernel itself writes, so that what it has said is recorded as soon as it is said.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Length)]
internal struct LazyRecord
{
    /// <summary>Bytes of a record.</summary>
    public const int Length = 64;

    /// <summary>Where the kernel's message begins, and how long it is.</summary>
    public const int MessageAt = 8, MessageLength = 32;

    [FieldOffset(0)] public LazyRecordKind Kind;

    /// <summary>The number of the address space, in the order of their coming.</summary>
    [FieldOffset(4)] public int Space;

    [FieldOffset(8)] public FaultEvent Event;

    /// <summary>Of a fork: the child's descriptor.</summary>
    [FieldOffset(16)] public int Child;

    /// <summary>Of a move: from where. Of what is given up or unmapped: where it begins.</summary>
    [FieldOffset(16)] public ulong Start;

    /// <summary>Of a move: where to. Of what is given up or unmapped: where it ends. Of a fault: where it is.</summary>
    [FieldOffset(24)] public ulong Address;

    /// <summary>Of a move: how much.</summary>
    [FieldOffset(32)] public ulong Bytes;

    /// <summary>Of a process: its descriptor.</summary>
    [FieldOffset(40)] public int Descriptor;

    /// <summary>Of a process: its number in the images.</summary>
    [FieldOffset(48)] public ulong Image;
}
