using System.Buffers.Binary;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>POSIX ACLs as the kernel keeps them in an extended attribute.</summary>
internal static class Acl
{
    private const uint NoId = uint.MaxValue;

    /// <summary>An ACL that agrees with <paramref name="mode"/> and lets one more user read.</summary>
    public static byte[] Access(uint mode, uint user)
    {
        (ushort Tag, uint Permissions, uint Id)[] entries =
        [
            (0x01, mode >> 6 & 7, NoId),   // owner
            (0x02, 4, user),               // a named user
            (0x04, 5, NoId),               // owning group
            (0x10, mode >> 3 & 7, NoId),   // mask: what stat shows as the group's bits
            (0x20, mode & 7, NoId),        // others
        ];
        byte[] acl = new byte[4 + (8 * entries.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(acl, 2);
        for (int index = 0; index < entries.Length; index++)
        {
            Span<byte> entry = acl.AsSpan(4 + (8 * index));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, entries[index].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)entries[index].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], entries[index].Id);
        }

        return acl;
    }
}
