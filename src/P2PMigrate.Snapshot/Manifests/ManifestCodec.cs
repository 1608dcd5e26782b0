using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>
/// Messages <c>Manifest</c> and <c>ManifestDelta</c>, read and written entry by entry, so that the generated objects of
/// a large tree never exist all at once.
/// </summary>
internal static class ManifestCodec
{
    /// <summary>The canonical encoding of a manifest.</summary>
    public static byte[] Serialize(Manifest manifest)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            WriteVersion(output, Messages.Manifest.VersionFieldNumber);
            WriteEntries(output, Messages.Manifest.EntriesFieldNumber, manifest.Entries);
        }

        return stream.ToArray();
    }

    /// <summary>The canonical encoding of a delta.</summary>
    public static byte[] Serialize(ManifestDelta delta)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            WriteVersion(output, Messages.ManifestDelta.VersionFieldNumber);
            WriteBytes(output, Messages.ManifestDelta.BaseDigestFieldNumber, delta.Base.ToArray());
            WriteBytes(output, Messages.ManifestDelta.ResultDigestFieldNumber, delta.Result.ToArray());
            WriteEntries(output, Messages.ManifestDelta.UpsertsFieldNumber, delta.Upserts);
            foreach (TreePath path in delta.Deletions)
                WriteBytes(output, Messages.ManifestDelta.DeletionsFieldNumber, path.Bytes);
        }

        return stream.ToArray();
    }

    /// <summary>Reads a manifest; never throws on what it reads.</summary>
    public static bool TryParse(
        ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out Manifest? manifest, [NotNullWhen(false)] out string? reason)
    {
        manifest = null;
        ManifestFields fields = new();
        reason = fields.Read(bytes, Messages.Manifest.EntriesFieldNumber, deltaFields: false);
        return reason is null && Manifest.TryCreate(fields.Entries.ToImmutable(), out manifest, out reason);
    }

    /// <summary>Reads a delta; never throws on what it reads.</summary>
    public static bool TryParse(
        ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out ManifestDelta? delta, [NotNullWhen(false)] out string? reason)
    {
        delta = null;
        ManifestFields fields = new();
        reason = fields.Read(bytes, Messages.ManifestDelta.UpsertsFieldNumber, deltaFields: true);
        if (reason is not null)
            return false;

        if (!ManifestDigest.TryParse(fields.BaseDigest.Span, out ManifestDigest baseDigest)
            || !ManifestDigest.TryParse(fields.ResultDigest.Span, out ManifestDigest resultDigest))
        {
            reason = "a delta without the digests of what it starts from and leads to";
            return false;
        }

        return ManifestDelta.TryCreate(
            baseDigest, resultDigest, fields.Entries.ToImmutable(), fields.Deletions.ToImmutable(), out delta, out reason);
    }

    private static void WriteVersion(CodedOutputStream output, int field)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteUInt32(Manifest.Version);
    }

    private static void WriteEntries(CodedOutputStream output, int field, ImmutableArray<TreeEntry> entries)
    {
        foreach (TreeEntry entry in entries)
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteMessage(EntryCodec.ToMessage(entry));
        }
    }

    private static void WriteBytes(CodedOutputStream output, int field, ReadOnlySpan<byte> bytes)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(Google.Protobuf.ByteString.CopyFrom(bytes));
    }
}
