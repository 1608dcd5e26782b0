using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Native;

/// <summary>What can be asked of the inode that a handle stands for.</summary>
internal static unsafe class Inode
{
    /// <summary>Its metadata.</summary>
    public static Statx Stat(SafeFileHandle inode)
    {
        Statx result;
        byte empty = 0;
        Errno.Check(Libc.StatX(inode, &empty, Libc.AtEmptyPath, Statx.Wanted, &result), "look at", default);
        return result;
    }

    /// <summary>The metadata of a name in a directory, symlinks not followed; false when there is no such name.</summary>
    public static bool TryStat(SafeFileHandle directory, ReadOnlySpan<byte> name, TreePath path, out Statx result)
    {
        fixed (byte* bytes = NativeName.Of(name, stackalloc byte[NativeName.MaxName]))
        fixed (Statx* facts = &result)
        {
            if (Libc.StatX(directory, bytes, Libc.AtSymlinkNofollow, Statx.Wanted, facts) == 0)
                return true;
            return Errno.IsVanished(Errno.Last) ? false : throw Errno.Failure("look at", path);
        }
    }

    /// <summary>Opens a regular file's content through a handle that stands for it; null when the right is missing.</summary>
    public static SafeFileHandle? TryOpenToRead(SafeFileHandle inode)
    {
        const int Flags = OpenFlags.ReadOnly | OpenFlags.CloseOnExec | OpenFlags.NonBlocking;
        fixed (byte* path = NativeName.OfHandle(inode, stackalloc byte[NativeName.MaxName]))
        {
            // Reading must leave no trace; but only the owner may ask for that.
            SafeFileHandle file = Libc.Open(path, Flags | OpenFlags.NoAccessTime, 0);
            if (file.IsInvalid && Errno.Last == Errno.NotPermitted)
                file = Libc.Open(path, Flags, 0);
            return file.IsInvalid ? null : file;
        }
    }

    /// <summary>Opens a regular file to change its content; null when the right is missing.</summary>
    public static SafeFileHandle? TryOpenToWrite(SafeFileHandle inode)
    {
        fixed (byte* path = NativeName.OfHandle(inode, stackalloc byte[NativeName.MaxName]))
        {
            SafeFileHandle file = Libc.Open(path, OpenFlags.ReadWrite | OpenFlags.CloseOnExec, 0);
            return file.IsInvalid ? null : file;
        }
    }

    /// <summary>What a symlink points to.</summary>
    public static ByteString ReadLink(SafeFileHandle symlink, TreePath path)
    {
        byte empty = 0;
        Span<byte> target = stackalloc byte[SnapshotLimits.MaxSymlinkLength + 1];
        fixed (byte* buffer = target)
        {
            long length = Errno.Check(Libc.ReadLinkAt(symlink, &empty, buffer, (nuint)target.Length), "read the symlink", path);
            return length <= SnapshotLimits.MaxSymlinkLength
                ? new ByteString(target[..(int)length])
                : throw new SnapshotException($"The symlink \"{path}\" points to more than MaxSymlinkLength bytes.");
        }
    }

    /// <summary>
    /// Reads into <paramref name="buffer"/> until it is full or the file ends; returns the bytes read. Where the kernel can, what it reads for that does not stay in memory: the machine's other programs keep what they have there.
    /// </summary>
    public static int ReadAt(SafeFileHandle file, Span<byte> buffer, long offset, TreePath path)
    {
        int total = 0;
        fixed (byte* bytes = buffer)
        {
            while (total < buffer.Length)
            {
                nint read = ReadUncached(file, bytes + total, (nuint)(buffer.Length - total), offset + total);
                if (read == 0)
                    break;
                if (read > 0)
                    total += (int)read;
                else if (Errno.Last != Errno.Interrupted)
                    throw Errno.Failure("read", path);
            }
        }

        return total;
    }

    private static nint ReadUncached(SafeFileHandle file, byte* buffer, nuint length, long offset)
    {
        var vector = new IoVector(buffer, length);
        nint read = Libc.PReadV2(file, &vector, 1, offset, Libc.ReadUncached);
        return read < 0 && Errno.Last is (Errno.NotSupported or Errno.Invalid) ? Libc.PRead(file, buffer, length, offset) : read;
    }

    /// <summary>Writes all of <paramref name="content"/>.</summary>
    public static void WriteAt(SafeFileHandle file, ReadOnlySpan<byte> content, long offset, TreePath path)
    {
        fixed (byte* bytes = content)
        {
            for (int total = 0; total < content.Length;)
            {
                nint written = Libc.PWrite(file, bytes + total, (nuint)(content.Length - total), offset + total);
                if (written > 0)
                    total += (int)written;
                else if (Errno.Last != Errno.Interrupted)
                    throw Errno.Failure("write", path);
            }
        }
    }
}
