#pragma warning disable CA1822 // the body follows
namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Describes the tree below a directory, pass after pass. It remembers what it saw (device, inode, size, mtime, ctime of
/// every file), so that a later pass reads only what changed. Symlinks are never followed, nothing outside the root is
/// ever opened. One pass at a time; inside a pass files are read on several threads. Chapter 10, section 8.
/// </summary>
public sealed class TreeScanner : IDisposable
{
    /// <summary>Opens <paramref name="root"/>, an absolute path. Throws <see cref="SnapshotException"/> when it is no directory that can be read.</summary>
    public TreeScanner(string root, TreeScanOptions? options = null)
    {
        _ = (root, options);
        throw new NotImplementedException();
    }

    /// <summary>
    /// One pass. Files that vanish or change meanwhile are tolerated and reported in <see cref="TreeScan.Dirty"/>; what
    /// cannot be read or described at all is a <see cref="SnapshotException"/> that names the path. Blocks; call it from a
    /// thread that may.
    /// </summary>
    public TreeScan Scan(ScanMode mode, CancellationToken cancellationToken = default)
    {
        _ = (mode, cancellationToken);
        throw new NotImplementedException();
    }

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
