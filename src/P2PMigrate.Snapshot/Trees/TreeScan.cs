using System.Collections.Immutable;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>What one pass over a tree found.</summary>
public sealed record TreeScan
{
    /// <summary>The tree. In a <see cref="ScanMode.Live"/> pass each entry is as it was at some moment of the pass.</summary>
    public required Manifest Manifest { get; init; }

    /// <summary>
    /// Paths that changed or vanished under the scanner's hands, so that the manifest may be wrong about them. The next
    /// pass looks at them again. After a <see cref="ScanMode.Frozen"/> pass there should be none: if there are,
    /// something outside the container writes into its tree.
    /// </summary>
    public required ImmutableArray<TreePath> Dirty { get; init; }

    /// <summary>Files whose content was read in this pass; the others had not changed since the pass before.</summary>
    public required int FilesRead { get; init; }

    /// <summary>Bytes read in this pass.</summary>
    public required long BytesRead { get; init; }

    /// <summary>How long the pass took.</summary>
    public required TimeSpan Duration { get; init; }
}

/// <summary>Does anybody write while the tree is scanned?</summary>
public enum ScanMode
{
    /// <summary>
    /// The container runs. What is dirty in memory is written to the disk first (<c>syncfs</c>), because only then does a
    /// later store through a shared mapping touch a file's ctime.
    /// </summary>
    Live,

    /// <summary>Nobody writes; what is found is exact.</summary>
    Frozen,
}
