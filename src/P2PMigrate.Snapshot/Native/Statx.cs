using System.Runtime.InteropServices;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Native;

/// <summary>The kernel's <c>struct statx</c>, as far as it is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    /// <summary>Ask for the basic fields and the mount id.</summary>
    public const uint Wanted = 0x7FF | 0x1000;

    private const ulong MountRoot = 0x2000;

    [FieldOffset(8)] private readonly ulong _attributes;
    [FieldOffset(16)] public readonly uint Links;
    [FieldOffset(20)] public readonly uint Uid;
    [FieldOffset(24)] public readonly uint Gid;
    [FieldOffset(28)] public readonly ushort Mode;
    [FieldOffset(32)] private readonly ulong _inode;
    [FieldOffset(40)] public readonly long Size;
    [FieldOffset(96)] private readonly TimeSpec _changedAt;
    [FieldOffset(112)] private readonly TimeSpec _modifiedAt;
    [FieldOffset(128)] public readonly uint DeviceMajor;
    [FieldOffset(132)] public readonly uint DeviceMinor;
    [FieldOffset(136)] private readonly uint _onMajor;
    [FieldOffset(140)] private readonly uint _onMinor;
    [FieldOffset(144)] public readonly ulong MountId;

    /// <summary>Device and inode: what makes two names the same file.</summary>
    public readonly InodeId Id => new(((ulong)_onMajor << 32) | _onMinor, _inode);

    /// <summary>What changes when the inode changes.</summary>
    public readonly InodeStamp Stamp => new(Id, Size, _modifiedAt.ToTime(), _changedAt.ToTime());

    /// <summary>The kind of inode; null for one that Linux does not have today.</summary>
    public readonly EntryKind? Kind => (Mode & InodeType.Mask) switch
    {
        InodeType.Directory => EntryKind.Directory,
        InodeType.File => EntryKind.File,
        InodeType.Symlink => EntryKind.Symlink,
        InodeType.CharacterDevice => EntryKind.CharacterDevice,
        InodeType.BlockDevice => EntryKind.BlockDevice,
        InodeType.Fifo => EntryKind.Fifo,
        InodeType.Socket => EntryKind.Socket,
        _ => null,
    };

    /// <summary>Is something mounted right here?</summary>
    public readonly bool IsMountRoot => (_attributes & MountRoot) != 0;
}

/// <summary>The type bits of <c>st_mode</c>.</summary>
internal static class InodeType
{
    public const uint Mask = 0xF000;
    public const uint Fifo = 0x1000;
    public const uint CharacterDevice = 0x2000;
    public const uint Directory = 0x4000;
    public const uint BlockDevice = 0x6000;
    public const uint File = 0x8000;
    public const uint Symlink = 0xA000;
    public const uint Socket = 0xC000;
}

/// <summary>A moment, as both <c>struct timespec</c> and <c>struct statx_timestamp</c> keep it on 64-bit little-endian machines.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct TimeSpec(long seconds, long nanoseconds)
{
    /// <summary>The nanoseconds that mean "leave this time alone".</summary>
    public const long Omit = (1L << 30) - 2;

    private readonly long _seconds = seconds;
    private readonly long _nanoseconds = nanoseconds;

    public UnixTime ToTime() => new(_seconds, (uint)_nanoseconds);
}

/// <summary>Which inode: the device it is on and its number there.</summary>
internal readonly record struct InodeId(ulong Device, ulong Number);

/// <summary>What changes when an inode changes. Never leaves this machine.</summary>
internal readonly record struct InodeStamp(InodeId Id, long Size, UnixTime ModifiedAt, UnixTime ChangedAt);

/// <summary>The kernel's <c>struct statfs</c>, as far as it is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct FileSystemFacts
{
    private const long Tmpfs = 0x0102_1994;
    private const long Ramfs = 0x8584_58F6;

    [FieldOffset(0)] private readonly long _type;

    /// <summary>
    /// Does a store through a shared mapping show in the ctime, at the latest after the next write-back? Where there is no
    /// write-back, it does so only once.
    /// </summary>
    public readonly bool ShowsMappedWrites => _type is not (Tmpfs or Ramfs);
}
