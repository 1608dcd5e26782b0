using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Google.Protobuf;
using P2PMigrate.Snapshot.Messages;
using ProtoBytes = Google.Protobuf.ByteString;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>The fields of a message <c>Manifest</c> or <c>ManifestDelta</c> while it is read from a peer's bytes.</summary>
internal sealed class ManifestFields
{
    private uint _version;

    /// <summary>Entries, in the order they came.</summary>
    public ImmutableArray<TreeEntry>.Builder Entries { get; } = ImmutableArray.CreateBuilder<TreeEntry>();

    /// <summary>Deleted paths, in the order they came.</summary>
    public ImmutableArray<TreePath>.Builder Deletions { get; } = ImmutableArray.CreateBuilder<TreePath>();

    /// <summary>Of a delta: the digest it starts from.</summary>
    public ProtoBytes BaseDigest { get; private set; } = ProtoBytes.Empty;

    /// <summary>Of a delta: the digest it leads to.</summary>
    public ProtoBytes ResultDigest { get; private set; } = ProtoBytes.Empty;

    /// <summary>Reads all fields and returns what is wrong with them, or null.</summary>
    public string? Read(ReadOnlyMemory<byte> bytes, int entriesField, bool deltaFields)
    {
        // spec: SNAP-01
        if (bytes.Length > SnapshotLimits.MaxManifestLength)
            return "the manifest is longer than MaxManifestLength";

        try
        {
            using CodedInputStream input = Open(bytes);
            return ReadFields(input, entriesField, deltaFields) ?? (_version == Manifest.Version ? null : "the manifest's version is not known");
        }
        catch (InvalidProtocolBufferException exception)
        {
            return $"the manifest is no protobuf message: {exception.Message}";
        }
    }

    private string? ReadFields(CodedInputStream input, int entriesField, bool deltaFields)
    {
        string? reason = null;
        while (reason is null && input.ReadTag() is var tag && tag != 0)
        {
            int field = WireFormat.GetTagFieldNumber(tag);
            if (tag == WireFormat.MakeTag(Messages.Manifest.VersionFieldNumber, WireFormat.WireType.Varint))
                _version = input.ReadUInt32();
            else if (WireFormat.GetTagWireType(tag) != WireFormat.WireType.LengthDelimited)
                input.SkipLastField();
            else if (field == entriesField)
                reason = ReadEntry(input);
            else if (!deltaFields || !TryReadDeltaField(input, field, ref reason))
                input.SkipLastField();
        }

        return reason;
    }

    private bool TryReadDeltaField(CodedInputStream input, int field, ref string? reason)
    {
        switch (field)
        {
            case Messages.ManifestDelta.BaseDigestFieldNumber:
                BaseDigest = input.ReadBytes();
                return true;
            case Messages.ManifestDelta.ResultDigestFieldNumber:
                ResultDigest = input.ReadBytes();
                return true;
            case Messages.ManifestDelta.DeletionsFieldNumber:
                reason = ReadDeletion(input);
                return true;
            default:
                return false;
        }
    }

    private string? ReadEntry(CodedInputStream input)
    {
        if (Entries.Count >= SnapshotLimits.MaxEntries)
            return "there are more than MaxEntries entries";

        Entry message = new();
        input.ReadMessage(message);
        if (EntryCodec.TryRead(message, out TreeEntry? entry, out string? reason))
            Entries.Add(entry);
        return reason;
    }

    private string? ReadDeletion(CodedInputStream input)
    {
        if (Deletions.Count >= SnapshotLimits.MaxEntries)
            return "there are more than MaxEntries deletions";

        if (TreePath.TryParse(input.ReadBytes().Span, out TreePath path, out string? reason))
            Deletions.Add(path);
        return reason;
    }

    private static CodedInputStream Open(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment)
            ? new CodedInputStream(segment.Array!, segment.Offset, segment.Count)
            : new CodedInputStream(bytes.ToArray());
}
