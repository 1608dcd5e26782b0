using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Snapshot.Native;

/// <summary>Raw bytes with a NUL behind them, as system calls want names.</summary>
internal static class NativeName
{
    /// <summary>Room for any path.</summary>
    public const int MaxPath = SnapshotLimits.MaxPathLength + 1;

    /// <summary>Room for any component, any xattr name, and any <see cref="OfHandle"/>.</summary>
    public const int MaxName = 256;

    /// <summary>Copies <paramref name="name"/> into <paramref name="buffer"/> and ends it.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        name.CopyTo(buffer);
        buffer[name.Length] = 0;
        return buffer;
    }

    /// <summary>
    /// The path by which calls that know no handles reach the very inode that <paramref name="handle"/> stands for, a
    /// symlink itself included.
    /// </summary>
    public static ReadOnlySpan<byte> OfHandle(SafeFileHandle handle, Span<byte> buffer)
    {
        "/proc/self/fd/"u8.CopyTo(buffer);
        int start = "/proc/self/fd/"u8.Length;
        handle.DangerousGetHandle().TryFormat(buffer[start..], out int length, default, CultureInfo.InvariantCulture);
        buffer[start + length] = 0;
        return buffer;
    }
}
