#pragma warning disable CA1822 // the body follows
using System.Collections.Immutable;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>
/// Makes the tree below a directory equal to a manifest, with content from a store. Each call does only what differs from
/// what is there; the first one finds out by scanning. So after a crash at any point a new applier, given the same
/// manifest, ends with the same tree. Whatever the manifest says, nothing outside the root is touched. The root belongs to
/// the applier alone meanwhile; one call at a time. Chapter 10, section 9.
/// </summary>
public sealed class TreeApplier : IDisposable
{
    /// <summary>
    /// Opens <paramref name="root"/>, an absolute path of an existing directory. Throws <see cref="SnapshotException"/>
    /// when that cannot be.
    /// </summary>
    public TreeApplier(string root, IChunkStore store)
    {
        _ = (root, store);
        throw new NotImplementedException();
    }

    /// <summary>
    /// Makes the tree equal to <paramref name="manifest"/>; what the manifest does not list is deleted. Throws
    /// <see cref="SnapshotException"/>, before anything is touched, when <paramref name="missing"/> says so and the store
    /// lacks content; and when the file system refuses something, after which a further call goes on where this one stopped.
    /// </summary>
    public ApplySummary Apply(Manifest manifest, MissingContent missing = MissingContent.Refuse, CancellationToken cancellationToken = default)
    {
        _ = (manifest, missing, cancellationToken);
        throw new NotImplementedException();
    }

    /// <summary>Writes everything applied so far to the disk (<c>syncfs</c>), so that it survives a loss of power.</summary>
    public void Flush() => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>What an applier does when the store lacks content that a file needs.</summary>
public enum MissingContent
{
    /// <summary>Nothing is applied.</summary>
    Refuse,

    /// <summary>
    /// That file is left as it is, or absent, and listed in <see cref="ApplySummary.Skipped"/>; for live rounds, in which
    /// files change before their content is sent. The next call tries again.
    /// </summary>
    Skip,
}

/// <summary>What one call did.</summary>
/// <param name="Written">Entries made anew or changed.</param>
/// <param name="Deleted">Entries deleted.</param>
/// <param name="BytesWritten">Bytes of file content written.</param>
/// <param name="Skipped">Files left out because their content is not there yet, with their further hard links.</param>
public sealed record ApplySummary(int Written, int Deleted, long BytesWritten, ImmutableArray<TreePath> Skipped);
