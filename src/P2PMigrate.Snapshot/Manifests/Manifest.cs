using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>
/// A whole tree: every name with everything that the target must reproduce, content named by digest. Sorted bytewise by
/// path; begins with the root's own entry. Every instance is sound: each path once, each parent a directory in the
/// manifest, each hard link leading to an earlier entry. Immutable, so any thread may read it. Chapter 10, section 2.
/// </summary>
public sealed class Manifest
{
    /// <summary>The version of the format that this code writes and reads.</summary>
    internal const byte Version = 1;

    private readonly Lazy<ManifestDigest> _digest;

    private Manifest(ImmutableArray<TreeEntry> entries)
    {
        Entries = entries;
        _digest = new Lazy<ManifestDigest>(() => ManifestDigest.Of(Entries.AsSpan()));
    }

    /// <summary>A tree without even a root: what a first delta starts from.</summary>
    public static Manifest Empty { get; } = new([]);

    /// <summary>All entries in bytewise order of their paths.</summary>
    public ImmutableArray<TreeEntry> Entries { get; }

    /// <summary>The digest of the whole tree. Computed once, on first use.</summary>
    public ManifestDigest Digest => _digest.Value;

    /// <summary>Bytes of file content that are not hole, each inode counted once.</summary>
    public long DataLength => Entries.OfType<FileEntry>().Sum(file => file.Content.DataLength);

    /// <summary>
    /// Makes a manifest of <paramref name="entries"/>, which must be sorted; <paramref name="reason"/> says which rule
    /// they break.
    /// </summary>
    public static bool TryCreate(
        ImmutableArray<TreeEntry> entries,
        [NotNullWhen(true)] out Manifest? manifest,
        [NotNullWhen(false)] out string? reason)
    {
        reason = ManifestRules.FindViolation(entries.AsSpan());
        manifest = reason is null ? new Manifest(entries) : null;
        return manifest is not null;
    }

    /// <summary>Sorts our own <paramref name="entries"/> and makes a manifest of them. Throws <see cref="SnapshotException"/> when a rule is broken.</summary>
    public static Manifest Create(IEnumerable<TreeEntry> entries)
    {
        ImmutableArray<TreeEntry> sorted = [.. entries.OrderBy(entry => entry.Path)];
        return TryCreate(sorted, out Manifest? manifest, out string? reason)
            ? manifest
            : throw new SnapshotException($"The tree cannot be described: {reason}.");
    }

    /// <summary>The entry of <paramref name="path"/>, if there is one.</summary>
    public bool TryFind(TreePath path, [NotNullWhen(true)] out TreeEntry? entry)
    {
        int index = ManifestRules.Find(Entries.AsSpan(), path.Bytes);
        entry = index >= 0 ? Entries[index] : null;
        return entry is not null;
    }

    /// <summary>The canonical encoding: message <c>Manifest</c> of <c>snapshot.proto</c>.</summary>
    public byte[] Serialize() => ManifestCodec.Serialize(this);

    /// <summary>Reads what a peer sent. Never throws on what it reads; <paramref name="reason"/> says what is wrong with it.</summary>
    public static bool TryParse(
        ReadOnlyMemory<byte> bytes,
        [NotNullWhen(true)] out Manifest? manifest,
        [NotNullWhen(false)] out string? reason) => ManifestCodec.TryParse(bytes, out manifest, out reason);

    /// <summary>
    /// What differs between two trees, in words, by path; none when they are equal. Stops after
    /// <paramref name="maxDifferences"/>.
    /// </summary>
    public static IReadOnlyList<ManifestDifference> Compare(Manifest left, Manifest right, int maxDifferences = 100) =>
        [.. ManifestComparison.Differences(left, right).Take(maxDifferences)];
}
