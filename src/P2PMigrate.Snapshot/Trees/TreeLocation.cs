using System.Text;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>Where a tree is on this machine: a directory, and what stands in for names below it.</summary>
/// <param name="Root">The directory, an absolute path.</param>
public sealed record TreeLocation(string Root)
{
    /// <summary>What is grafted, each at a name of its own.</summary>
    public IReadOnlyList<TreeGraft> Grafts { get; init; } = [];
}

/// <summary>
/// A directory or regular file from elsewhere that is part of a tree under a name which is there already, and which it hides: what is mounted there, as a container sees it.
/// </summary>
/// <param name="At">The name that it has in the tree; not the root, and inside another graft if that has it.</param>
/// <param name="Source">Where it is, an absolute path; symbolic links in it are followed, those below it are not.</param>
/// <param name="IsHollow">Only it itself is part of the tree: a directory as empty, a file as empty.</param>
// spec: SNAP-108
public sealed record TreeGraft(TreePath At, string Source, bool IsHollow = false)
{
    /// <summary><see cref="At"/> as one writes it who sees the tree's root as his own: <c>/srv/data</c>.</summary>
    public string Path => "/" + Encoding.UTF8.GetString(At.Bytes);
}
