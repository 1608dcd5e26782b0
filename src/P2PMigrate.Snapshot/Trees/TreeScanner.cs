using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Describes the tree below a directory, pass after pass. It remembers what it saw (device, inode, size, mtime, ctime of
/// every file), so that a later pass reads only what changed. Symlinks are never followed, nothing outside the root and its grafts is
/// ever opened. One pass at a time; inside a pass files are read on several threads. Chapter 10, section 8.
/// </summary>
/// <remarks>
/// A pass has three stages: the walk lists every name with its metadata; what is new or changed is read, in parallel; the
/// entries become a manifest. While a container runs, each stage may find that what the one before saw is gone.
/// </remarks>
public sealed class TreeScanner : IDisposable
{
    private readonly TreeScanOptions _options;
    private readonly TreeLocation _location;
    private readonly TreeRoot _root;
    private readonly ScanCache _cache;

    /// <summary>Opens <paramref name="root"/>, an absolute path. Throws <see cref="SnapshotException"/> when it is no directory that can be read.</summary>
    public TreeScanner(string root, TreeScanOptions? options = null)
        : this(new TreeLocation(root), options)
    {
    }

    /// <summary>Opens a tree with its grafts. Throws <see cref="SnapshotException"/> when one of them cannot be read.</summary>
    public TreeScanner(TreeLocation location, TreeScanOptions? options = null)
    {
        _options = options ?? new TreeScanOptions();
        _location = location;
        _root = TreeRoot.Open(location);
        _cache = new ScanCache(_root.DevicesWithHiddenWrites, _options.ChangeMargin);
    }

    /// <summary>
    /// One pass. Files that vanish or change meanwhile are tolerated and reported in <see cref="TreeScan.Dirty"/>; what
    /// cannot be read or described at all is a <see cref="SnapshotException"/> that names the path. Blocks; call it from a
    /// thread that may.
    /// </summary>
    public TreeScan Scan(ScanMode mode, CancellationToken cancellationToken = default)
    {
        long started = Stopwatch.GetTimestamp();
        UnixTime startedAt = UnixTime.From(DateTimeOffset.UtcNow); // before the sync: see ScanMode.Live
        if (mode == ScanMode.Live)
            _root.Sync(); // spec: SNAP-82

        List<(TreePath Path, ScanItem Item)> names = FindItems(cancellationToken);
        ScanItem[] pending = [.. names.Select(name => name.Item).Where(item => !item.Result.IsStable).Distinct()];
        long bytesRead = Read(pending, startedAt, cancellationToken);

        ImmutableArray<TreeEntry> entries = [.. names.Select(name => name.Item.EntryOf(name.Path)).OfType<TreeEntry>()];
        _cache.EndPass([.. Memories(names)]);
        return new TreeScan
        {
            Manifest = Assemble(entries),
            Dirty = [.. pending.SelectMany(item => item.DirtyPaths).Order()],
            FilesRead = pending.Count(item => item.Result.Entry is FileEntry),
            BytesRead = bytesRead,
            Duration = Stopwatch.GetElapsedTime(started),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    /// <summary>Lists the tree and gathers the names of one inode; what has certainly not changed is read already.</summary>
    private List<(TreePath Path, ScanItem Item)> FindItems(CancellationToken cancellationToken)
    {
        List<(TreePath, ScanItem)> names = [];
        Dictionary<InodeId, ScanItem> linked = [];
        _cache.BeginPass();
        foreach (WalkedName name in new TreeWalk(_root, _options.MountPoints, _options.Parallelism).Run(cancellationToken))
        {
            if (name.HasOtherNames && linked.TryGetValue(name.Stamp.Id, out ScanItem? item))
            {
                item.AddLink(name);
            }
            else
            {
                item = new ScanItem(name);
                if (_cache.TryRecall(name, out ScanCache.Memory memory))
                    item.Recall(memory);
                if (name.HasOtherNames)
                    linked.Add(name.Stamp.Id, item);
            }

            names.Add((name.Path, item));
        }

        RequireGrafts(names);
        return names;
    }

    private void RequireGrafts(List<(TreePath Path, ScanItem Item)> names)
    {
        if (_location.Grafts.Count > 0 && _location.Grafts.ExceptBy(names.Select(name => name.Path), graft => graft.At).FirstOrDefault() is { } lost)
            throw new SnapshotException($"\"{lost.At}\" is not in the tree, so that nothing can stand in for it.");
    }

    private long Read(ScanItem[] pending, UnixTime startedAt, CancellationToken cancellationToken)
    {
        long bytesRead = 0;
        ParallelOptions options = new() { MaxDegreeOfParallelism = _options.Parallelism, CancellationToken = cancellationToken };
        try
        {
            Parallel.ForEach(
                pending,
                options,
                () => new InodeReader(_root, _options.MaxReadAttempts),
                (item, _, reader) =>
                {
                    item.Read(reader, startedAt, cancellationToken);
                    return reader;
                },
                reader => Interlocked.Add(ref bytesRead, reader.BytesRead));
        }
        catch (AggregateException exception) when (exception.InnerException is SnapshotException or OperationCanceledException)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException); // the first reason
        }

        return bytesRead;
    }

    private static IEnumerable<ScanCache.Memory> Memories(List<(TreePath Path, ScanItem Item)> names)
    {
        foreach ((TreePath path, ScanItem item) in names)
        {
            if (item.Result is { IsStable: true, Entry: { } entry } && entry.Path == path)
                yield return new ScanCache.Memory(entry, item.Result.Stamp, item.ReadSince);
        }
    }

    private static Manifest Assemble(ImmutableArray<TreeEntry> entries) =>
        Manifest.TryCreate(entries, out Manifest? manifest, out string? reason)
        || Manifest.TryCreate([.. WithoutOrphans(entries)], out manifest, out reason)
            ? manifest
            : throw new SnapshotException($"The tree cannot be described: {reason}.");

    /// <summary>Leaves out what was found in a directory that then vanished or became something else.</summary>
    private static IEnumerable<TreeEntry> WithoutOrphans(IEnumerable<TreeEntry> sorted)
    {
        HashSet<TreePath> directories = [];
        HashSet<TreePath> others = [];
        foreach (TreeEntry entry in sorted)
        {
            if (!entry.Path.IsRoot && !directories.Contains(entry.Path.Parent))
                continue;
            if (entry is HardLinkEntry link && !others.Contains(link.First))
                continue;
            _ = entry is DirectoryEntry ? directories.Add(entry.Path) : others.Add(entry.Path);
            yield return entry;
        }
    }
}
