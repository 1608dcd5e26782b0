using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>
/// What turns one manifest into the next: entries that are new or different, and paths that are gone. It fits exactly
/// one base and says what comes out, so a delta applied to the wrong tree is noticed. Immutable. Chapter 10, section 4.
/// </summary>
public sealed class ManifestDelta
{
    private ManifestDelta(
        ManifestDigest baseDigest, ManifestDigest result, ImmutableArray<TreeEntry> upserts, ImmutableArray<TreePath> deletions)
    {
        Base = baseDigest;
        Result = result;
        Upserts = upserts;
        Deletions = deletions;
    }

    /// <summary>The digest of the manifest it starts from.</summary>
    public ManifestDigest Base { get; }

    /// <summary>The digest of the manifest it leads to.</summary>
    public ManifestDigest Result { get; }

    /// <summary>Entries that are new or different, sorted by path.</summary>
    public ImmutableArray<TreeEntry> Upserts { get; }

    /// <summary>Paths that are gone, sorted; what is in a deleted directory is listed too.</summary>
    public ImmutableArray<TreePath> Deletions { get; }

    /// <summary>Nothing changed?</summary>
    public bool IsEmpty => Upserts.IsEmpty && Deletions.IsEmpty;

    /// <summary>The delta that turns <paramref name="from"/> into <paramref name="to"/>.</summary>
    public static ManifestDelta Between(Manifest from, Manifest to)
    {
        ImmutableArray<TreeEntry>.Builder upserts = ImmutableArray.CreateBuilder<TreeEntry>();
        ImmutableArray<TreePath>.Builder deletions = ImmutableArray.CreateBuilder<TreePath>();
        foreach ((TreeEntry? before, TreeEntry? after) in ManifestComparison.Pairs(from, to))
        {
            if (after is null)
                deletions.Add(before!.Path);
            else if (!ReferenceEquals(before, after) && after != before)
                upserts.Add(after);
        }

        return new ManifestDelta(from.Digest, to.Digest, upserts.ToImmutable(), deletions.ToImmutable());
    }

    /// <summary>
    /// The manifest that comes out of <paramref name="manifest"/>. False, with a reason, when the delta does not fit it
    /// or does not lead to what it promised.
    /// </summary>
    public bool TryApply(Manifest manifest, [NotNullWhen(true)] out Manifest? result, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-31
        result = null;
        if (manifest.Digest != Base)
            reason = "the delta starts from another manifest";
        else if (!TryMerge(manifest, out ImmutableArray<TreeEntry> entries))
            reason = "the delta deletes what is not there";
        else if (Manifest.TryCreate(entries, out Manifest? merged, out reason) && merged.Digest != Result)
            reason = "the delta does not lead to the manifest that it promised";
        else
            result = merged;
        return result is not null;
    }

    /// <summary>The canonical encoding: message <c>ManifestDelta</c> of <c>snapshot.proto</c>.</summary>
    public byte[] Serialize() => ManifestCodec.Serialize(this);

    /// <summary>Reads what a peer sent. Never throws on what it reads; <paramref name="reason"/> says what is wrong with it.</summary>
    public static bool TryParse(
        ReadOnlyMemory<byte> bytes,
        [NotNullWhen(true)] out ManifestDelta? delta,
        [NotNullWhen(false)] out string? reason) => ManifestCodec.TryParse(bytes, out delta, out reason);

    /// <summary>Checks what a peer sent: both lists sorted, no path in both.</summary>
    internal static bool TryCreate(
        ManifestDigest baseDigest,
        ManifestDigest result,
        ImmutableArray<TreeEntry> upserts,
        ImmutableArray<TreePath> deletions,
        [NotNullWhen(true)] out ManifestDelta? delta,
        [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-30
        delta = null;
        reason = FindViolation(upserts, deletions);
        if (reason is null)
            delta = new ManifestDelta(baseDigest, result, upserts, deletions);
        return delta is not null;
    }

    private static string? FindViolation(ImmutableArray<TreeEntry> upserts, ImmutableArray<TreePath> deletions)
    {
        for (int index = 1; index < upserts.Length; index++)
        {
            if (upserts[index].Path <= upserts[index - 1].Path)
                return $"\"{upserts[index].Path}\" is out of order or listed twice";
        }

        for (int index = 0; index < deletions.Length; index++)
        {
            if (index > 0 && deletions[index] <= deletions[index - 1])
                return $"\"{deletions[index]}\" is out of order or deleted twice";
            if (ManifestRules.Find(upserts.AsSpan(), deletions[index].Bytes) >= 0)
                return $"\"{deletions[index]}\" is both changed and deleted";
        }

        return null;
    }

    private bool TryMerge(Manifest manifest, out ImmutableArray<TreeEntry> entries)
    {
        ImmutableArray<TreeEntry>.Builder merged = ImmutableArray.CreateBuilder<TreeEntry>(manifest.Entries.Length);
        int upsert = 0;
        int deletion = 0;
        foreach (TreeEntry entry in manifest.Entries)
        {
            while (upsert < Upserts.Length && Upserts[upsert].Path < entry.Path)
                merged.Add(Upserts[upsert++]);

            if (deletion < Deletions.Length && Deletions[deletion] == entry.Path)
                deletion++;
            else if (upsert < Upserts.Length && Upserts[upsert].Path == entry.Path)
                merged.Add(Upserts[upsert++]);
            else
                merged.Add(entry);
        }

        merged.AddRange(Upserts.AsSpan()[upsert..]);
        entries = merged.ToImmutable();
        return deletion == Deletions.Length;
    }
}
