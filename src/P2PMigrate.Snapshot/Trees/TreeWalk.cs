using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Lists every name below a root with its metadata, in bytewise order of the paths: one <c>statx</c> for each, nothing is
/// opened but directories, and those of one depth by <paramref name="parallelism"/> threads: a container is frozen meanwhile. One walk.
/// </summary>
internal sealed class TreeWalk(TreeRoot root, MountPointPolicy mountPoints, int parallelism)
{
    private int _count;

    /// <summary>All names; the root first.</summary>
    public IEnumerable<WalkedName> Run(CancellationToken cancellationToken)
    {
        yield return new WalkedName(TreePath.Root, StatRoot(), isMountPoint: false);

        var top = new WalkedDirectory(TreePath.Root);
        for (List<WalkedDirectory> level = [top]; level.Count > 0; level = [.. level.SelectMany(directory => directory.Inside)])
            List(level, cancellationToken);

        Stack<IEnumerator<WalkedDirectory.Step>> open = new([top.Steps.GetEnumerator()]);
        while (open.TryPeek(out IEnumerator<WalkedDirectory.Step>? steps))
        {
            if (!steps.MoveNext())
                open.Pop().Dispose();
            else if (steps.Current.Inside is { } inside)
                open.Push(inside.Steps.GetEnumerator());
            else
                yield return steps.Current.Name;
        }
    }

    private Statx StatRoot()
    {
        using SafeFileHandle inode = root.TryOpenInode(TreePath.Root)!;
        return Inode.Stat(inode);
    }

    private void List(List<WalkedDirectory> level, CancellationToken cancellationToken)
    {
        ParallelOptions options = new() { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken };
        try
        {
            Parallel.ForEach(
                level,
                options,
                () => new DirectoryReader(root, mountPoints, Count),
                (directory, _, reader) =>
                {
                    reader.Read(directory);
                    return reader;
                },
                _ => { });
        }
        catch (AggregateException exception) when (exception.InnerException is SnapshotException or OperationCanceledException)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException); // the first reason
        }
    }

    private void Count()
    {
        if (Interlocked.Increment(ref _count) >= SnapshotLimits.MaxEntries)
            throw new SnapshotException($"The tree has more than MaxEntries ({SnapshotLimits.MaxEntries}) names.");
    }
}
