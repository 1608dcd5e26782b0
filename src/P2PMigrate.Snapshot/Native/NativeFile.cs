using System.Text;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Snapshot.Native;

/// <summary>
/// Files of our own that several processes open at once. .NET takes a lock with every file that it opens, and refuses the one who comes second.
/// </summary>
internal static unsafe class NativeFile
{
    private const uint PrivateMode = 0x180; // 0600
    private const int Exclusively = 2;
    private const int WithoutWaiting = 4;

    /// <summary>Opens a file; throws <see cref="IOException"/> when that cannot be.</summary>
    public static SafeFileHandle Open(string path, int flags) => OpenOr(path, flags, isVanishedFine: false)!;

    /// <summary>Opens a file; null when there is none.</summary>
    public static SafeFileHandle? TryOpen(string path, int flags) => OpenOr(path, flags, isVanishedFine: true);

    /// <summary>Takes the file's lock, which ends when the handle is closed; false when another handle has it.</summary>
    public static bool TryLock(SafeFileHandle file) => Libc.FLock(file, Exclusively | WithoutWaiting) == 0;

    private static SafeFileHandle? OpenOr(string path, int flags, bool isVanishedFine)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            SafeFileHandle file = Libc.Open(bytes, flags | OpenFlags.CloseOnExec, PrivateMode);
            if (!file.IsInvalid)
                return file;

            int error = Errno.Last;
            file.Dispose();
            return isVanishedFine && Errno.IsVanished(error) ? null : throw new IOException(Errno.Failure("open", path).Message);
        }
    }
}
