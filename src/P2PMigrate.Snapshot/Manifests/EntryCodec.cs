using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using P2PMigrate.Snapshot.Messages;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>Between <see cref="TreeEntry"/> and message <c>Entry</c>. Writing is canonical; reading refuses with a reason.</summary>
internal static class EntryCodec
{
    /// <summary>SHA-256 of the canonical encoding.</summary>
    public static byte[] Digest(TreeEntry entry) => SHA256.HashData(ToMessage(entry).ToByteArray()); // spec: SNAP-12

    /// <summary>The message for an entry.</summary>
    public static Entry ToMessage(TreeEntry entry)
    {
        Entry message = new() { Path = ByteString(entry.Path.Bytes), Kind = (Messages.EntryKind)entry.Kind };
        if (entry is InodeEntry inode)
            WriteAttributes(message, inode.Attributes);

        switch (entry)
        {
            case FileEntry file:
                WriteContent(message, file.Content);
                break;
            case SymlinkEntry symlink:
                message.Target = ByteString(symlink.Target.Span);
                break;
            case HardLinkEntry link:
                message.Target = ByteString(link.First.Bytes);
                break;
            case DeviceEntry device:
                message.DeviceMajor = device.Major;
                message.DeviceMinor = device.Minor;
                break;
        }

        return message;
    }

    /// <summary>Reads the message for an entry; <paramref name="reason"/> says what is wrong with it.</summary>
    public static bool TryRead(Entry message, [NotNullWhen(true)] out TreeEntry? entry, [NotNullWhen(false)] out string? reason)
    {
        entry = null;
        if (!TreePath.TryParse(message.Path.Span, out TreePath path, out reason))
            return false;

        if (message.Kind == Messages.EntryKind.HardLink)
        {
            if (TreePath.TryParse(message.Target.Span, out TreePath first, out reason))
                entry = new HardLinkEntry(path, first);
        }
        else if (TryReadAttributes(message, out InodeAttributes? attributes, out reason))
        {
            entry = ReadInode(message, path, attributes, out reason);
        }

        if (entry is null)
            reason = $"\"{path}\": {reason ?? "what it is, is not known"}";
        return entry is not null;
    }

    private static InodeEntry? ReadInode(Entry message, TreePath path, InodeAttributes attributes, out string? reason)
    {
        reason = null;
        switch ((EntryKind)message.Kind)
        {
            case EntryKind.Directory:
                return new DirectoryEntry(path, attributes);
            case EntryKind.File:
                return TryReadContent(message, out FileContent? content, out reason) ? new FileEntry(path, attributes, content) : null;
            case EntryKind.Symlink:
                return TryReadSymlink(message, out ByteString target, out reason) ? new SymlinkEntry(path, attributes, target) : null;
            case EntryKind.CharacterDevice or EntryKind.BlockDevice:
                bool isBlock = message.Kind == Messages.EntryKind.BlockDevice;
                return new DeviceEntry(path, attributes, isBlock, message.DeviceMajor, message.DeviceMinor);
            case EntryKind.Fifo:
                return new FifoEntry(path, attributes);
            case EntryKind.Socket:
                return new SocketEntry(path, attributes);
            default:
                return null;
        }
    }

    private static void WriteAttributes(Entry message, InodeAttributes attributes)
    {
        message.Mode = attributes.Mode;
        message.Uid = attributes.Uid;
        message.Gid = attributes.Gid;
        message.MtimeSeconds = attributes.ModifiedAt.Seconds;
        message.MtimeNanoseconds = attributes.ModifiedAt.Nanoseconds;
        foreach (Xattr xattr in attributes.Xattrs.Items)
            message.Xattrs.Add(new Messages.Xattr { Name = ByteString(xattr.Name.Span), Value = ByteString(xattr.Value.Span) });
    }

    private static bool TryReadAttributes(
        Entry message, [NotNullWhen(true)] out InodeAttributes? attributes, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-03
        attributes = null;
        if (message.Mode > InodeAttributes.ModeMask)
            reason = "the mode has bits that are none";
        else if (message.Uid == uint.MaxValue || message.Gid == uint.MaxValue)
            reason = "the owner is the number that means nobody"; // chown reads it as "leave it alone"
        else if (message.MtimeNanoseconds >= UnixTime.NanosecondsPerSecond)
            reason = "the time has more than a second of nanoseconds";
        else if (TryReadXattrs(message, out XattrSet? xattrs, out reason))
            attributes = new(message.Mode, message.Uid, message.Gid, new(message.MtimeSeconds, message.MtimeNanoseconds), xattrs);
        return attributes is not null;
    }

    private static bool TryReadXattrs(
        Entry message, [NotNullWhen(true)] out XattrSet? xattrs, [NotNullWhen(false)] out string? reason)
    {
        xattrs = null;
        List<Xattr> items = new(Math.Min(message.Xattrs.Count, SnapshotLimits.MaxXattrs));
        foreach (Messages.Xattr item in message.Xattrs)
            items.Add(new Xattr(new(item.Name.Span), new(item.Value.Span)));

        reason = XattrRules.FindViolation(CollectionsMarshal.AsSpan(items));
        if (reason is null)
            xattrs = XattrSet.Of(items);
        return xattrs is not null;
    }

    private static bool TryReadSymlink(Entry message, out ByteString target, [NotNullWhen(false)] out string? reason)
    {
        ReadOnlySpan<byte> bytes = message.Target.Span;
        bool isTarget = bytes.Length is > 0 and <= SnapshotLimits.MaxSymlinkLength && !bytes.Contains((byte)0);
        target = isTarget ? new ByteString(bytes) : default;
        reason = isTarget ? null : "a symlink's target is empty, holds a NUL or is longer than MaxSymlinkLength";
        return isTarget;
    }

    private static void WriteContent(Entry message, FileContent content)
    {
        message.Size = (ulong)content.Size;
        long end = 0;
        foreach (FileExtent extent in content.Extents)
        {
            message.Extents.Add((ulong)(extent.Offset - end));
            message.Extents.Add((ulong)extent.Length);
            end = extent.End;
        }

        message.Chunks = ByteString(MemoryMarshal.AsBytes(content.Chunks.AsSpan()));
    }

    private static bool TryReadContent(
        Entry message, [NotNullWhen(true)] out FileContent? content, [NotNullWhen(false)] out string? reason)
    {
        content = null;
        if (message.Size > SnapshotLimits.MaxFileSize)
        {
            reason = "the file is larger than MaxFileSize";
            return false;
        }

        if (!TryReadExtents(message, out ImmutableArray<FileExtent> extents, out reason))
            return false;

        long cells = FileContent.CountCells(extents);
        if (message.Chunks.Length != cells * ChunkId.Size)
        {
            reason = "there is not one digest for each cell with data";
            return false;
        }

        content = new FileContent((long)message.Size, extents, [.. MemoryMarshal.Cast<byte, ChunkId>(message.Chunks.Span)]);
        return true;
    }

    private static bool TryReadExtents(Entry message, out ImmutableArray<FileExtent> extents, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-06
        extents = [];
        int count = message.Extents.Count / 2;
        if (count > SnapshotLimits.MaxExtents || message.Extents.Count % 2 != 0)
        {
            reason = "the extents are more than MaxExtents or no pairs";
            return false;
        }

        reason = "the extents are empty, touch each other or reach beyond the file's end";
        ImmutableArray<FileExtent>.Builder builder = ImmutableArray.CreateBuilder<FileExtent>(count);
        ulong end = 0;
        for (int index = 0; index < count; index++)
        {
            ulong gap = message.Extents[2 * index];
            ulong length = message.Extents[(2 * index) + 1];
            if (gap > message.Size - end || length > message.Size - end - gap || length == 0 || (gap == 0 && index > 0))
                return false;
            builder.Add(new FileExtent((long)(end + gap), (long)length));
            end += gap + length;
        }

        extents = builder.MoveToImmutable();
        reason = null;
        return true;
    }

    private static Google.Protobuf.ByteString ByteString(ReadOnlySpan<byte> bytes) => Google.Protobuf.ByteString.CopyFrom(bytes);
}
