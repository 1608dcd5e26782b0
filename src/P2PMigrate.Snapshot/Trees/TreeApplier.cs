using System.Collections.Immutable;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Makes the tree below a directory equal to a manifest, with content from a store. Each call does only what differs from
/// what is there; the first one finds out by scanning. So after a crash at any point a new applier, given the same
/// manifest, ends with the same tree. Whatever the manifest says, nothing outside the root is touched. The root belongs to
/// the applier alone meanwhile; one call at a time. Chapter 10, section 9.
/// </summary>
public sealed class TreeApplier : IDisposable
{
    private readonly string _path;
    private readonly IChunkStore _store;
    private readonly TreeRoot _root;

    /// <summary>What the tree is, or null when that is not known: at first, and after a call that failed half-way.</summary>
    private Manifest? _current;

    /// <summary>
    /// Opens <paramref name="root"/>, an absolute path of an existing directory. Throws <see cref="SnapshotException"/>
    /// when that cannot be.
    /// </summary>
    public TreeApplier(string root, IChunkStore store)
    {
        _path = root;
        _store = store;
        _root = TreeRoot.Open(root);
    }

    /// <summary>
    /// Makes the tree equal to <paramref name="manifest"/>; what the manifest does not list is deleted. Throws
    /// <see cref="SnapshotException"/>, before anything is touched, when <paramref name="missing"/> says so and the store
    /// lacks content; and when the file system refuses something, after which a further call goes on where this one stopped.
    /// </summary>
    public ApplySummary Apply(Manifest manifest, MissingContent missing = MissingContent.Refuse, CancellationToken cancellationToken = default)
    {
        if (manifest.Entries.IsEmpty)
            throw new SnapshotException("The manifest describes no tree.");

        Manifest current = _current ?? ScanTarget(cancellationToken);
        if (missing == MissingContent.Refuse && ContentCheck.MissingIn(current, manifest, _store) is { IsEmpty: false } lacking)
            throw new SnapshotException($"The content of {lacking.Length} files is not in the store, that of \"{lacking[0]}\" first.");

        _current = null; // until all is done
        ContentCheck content = new(missing == MissingContent.Refuse ? null : _store);
        using TreeWriter writer = new(_root, _store, cancellationToken);
        TreeChange change = new(current, manifest, content, writer);
        _current = change.Run(cancellationToken);
        return new ApplySummary(change.Written, change.Deleted, writer.BytesWritten, content.Missing);
    }

    /// <summary>Writes everything applied so far to the disk (<c>syncfs</c>), so that it survives a loss of power.</summary>
    public void Flush() => _root.Sync();

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private Manifest ScanTarget(CancellationToken cancellationToken)
    {
        // spec: SNAP-90
        using TreeScanner scanner = new(_path);
        return scanner.Scan(ScanMode.Frozen, cancellationToken).Manifest;
    }
}

/// <summary>What an applier does when the store lacks content that a file needs.</summary>
public enum MissingContent
{
    /// <summary>Nothing is applied.</summary>
    Refuse,

    /// <summary>
    /// That file is left as it is, or absent, and listed in <see cref="ApplySummary.Skipped"/>; for live rounds, in which
    /// files change before their content is sent. The next call tries again. The store is asked when the file's turn comes, so that <see cref="ArrivingChunks"/> can let it wait.
    /// </summary>
    Skip,
}

/// <summary>What one call did.</summary>
/// <param name="Written">Entries made anew or changed.</param>
/// <param name="Deleted">Entries deleted.</param>
/// <param name="BytesWritten">Bytes of file content written.</param>
/// <param name="Skipped">Files left out because their content is not there yet.</param>
public sealed record ApplySummary(int Written, int Deleted, long BytesWritten, ImmutableArray<TreePath> Skipped);
