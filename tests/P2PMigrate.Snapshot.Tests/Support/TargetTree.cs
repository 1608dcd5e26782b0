using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>A target that follows its source round by round, with one applier for all rounds.</summary>
internal sealed class TargetTree : IDisposable
{
    private readonly string _root;
    private readonly MemoryChunkStore _store;
    private readonly TreeApplier _applier;

    public TargetTree(string root, Manifest first, MemoryChunkStore store)
    {
        (_root, _store, _applier) = (root, store, new TreeApplier(root, store));
        _applier.Apply(first);
    }

    /// <summary>Makes the target what the source is now, and returns the bytes of content written for it.</summary>
    public long Follow(string source)
    {
        Manifest manifest = Tree.Scan(source);
        Tree.Transfer(source, ChunkCatalogue.Of(manifest), _store);
        ApplySummary summary = _applier.Apply(manifest);
        Tree.AssertEqual(manifest, Tree.Scan(_root));
        return summary.BytesWritten;
    }

    public void Dispose() => _applier.Dispose();
}
