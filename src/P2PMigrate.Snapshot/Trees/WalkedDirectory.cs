using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>A directory that a walk came by, and what it found in it. Written by one thread, then only read.</summary>
/// <remarks>
/// Bytewise order is nearly that of a depth-first walk: what is in <c>a</c> follows <c>a</c>, but after <c>a-b</c>, because
/// '-' comes before '/'. So a directory is a sorted list of steps in which a subdirectory stands twice: as itself under
/// its name, and as what is in it under its name and a '/'.
/// </remarks>
internal sealed class WalkedDirectory(TreePath path)
{
    private readonly List<Step> _steps = [];

    public TreePath Path => path;

    /// <summary>What is in it, in bytewise order.</summary>
    public IEnumerable<Step> Steps => _steps;

    /// <summary>The directories in it that are to be looked into.</summary>
    public IEnumerable<WalkedDirectory> Inside => _steps.Select(step => step.Inside).OfType<WalkedDirectory>();

    /// <summary>Adds a name, and what is in it if it is a directory that <paramref name="isEntered"/>.</summary>
    public void Add(byte[] name, in WalkedName walked, bool isEntered)
    {
        _steps.Add(new Step(name, walked, Inside: null));
        if (isEntered)
            _steps.Add(new Step([.. name, (byte)'/'], walked, new WalkedDirectory(walked.Path)));
    }

    /// <summary>All names are added.</summary>
    public void Sort() => _steps.Sort((left, right) => left.Key.AsSpan().SequenceCompareTo(right.Key));

    /// <param name="Key">Where it comes among its siblings.</param>
    /// <param name="Name">The name.</param>
    /// <param name="Inside">If the step is not the name itself, but what is in it.</param>
    internal readonly record struct Step(byte[] Key, WalkedName Name, WalkedDirectory? Inside);
}
