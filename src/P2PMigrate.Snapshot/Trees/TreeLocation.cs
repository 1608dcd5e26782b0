namespace P2PMigrate.Snapshot.Trees;

/// <summary>Where a tree is on this machine: a directory, and what stands in for names below it.</summary>
/// <param name="Root">The directory, an absolute path.</param>
public sealed record TreeLocation(string Root)
{
    /// <summary>What is grafted, each at a name of its own.</summary>
    public IReadOnlyList<TreeGraft> Grafts { get; init; } = [];
}
