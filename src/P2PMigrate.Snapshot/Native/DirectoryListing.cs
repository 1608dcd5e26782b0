using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Native;

/// <summary>Lists the names in a directory, whatever bytes they are made of. One owner; its buffer is used again.</summary>
internal sealed unsafe class DirectoryListing
{
    private const int RecordLengthOffset = 16;
    private const int NameOffset = 19;

    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>Adds the names in <paramref name="directory"/> to <paramref name="names"/>, in no order, without <c>.</c> and <c>..</c>.</summary>
    public void Read(SafeFileHandle directory, TreePath path, List<byte[]> names)
    {
        fixed (byte* buffer = _buffer)
        {
            while (true)
            {
                nint length = Libc.GetDents64(directory, buffer, (nuint)_buffer.Length);
                if (length < 0 && Errno.IsVanished(Errno.Last))
                    return; // the directory itself was removed while it was open
                if (Errno.Check(length, "list", path) == 0)
                    return;
                AddNames(_buffer.AsSpan(0, (int)length), names);
            }
        }
    }

    private static void AddNames(ReadOnlySpan<byte> records, List<byte[]> names)
    {
        while (!records.IsEmpty)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(records[RecordLengthOffset..]);
            ReadOnlySpan<byte> name = records[NameOffset..length];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                names.Add(name.ToArray());
            records = records[length..];
        }
    }
}
