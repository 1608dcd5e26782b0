using System.Text;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Native;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>Steps that many tests take.</summary>
internal static class Tree
{
    /// <summary>One pass of a new scanner over a tree that nobody writes to.</summary>
    public static Manifest Scan(string root)
    {
        using TreeScanner scanner = new(root);
        TreeScan scan = scanner.Scan(ScanMode.Frozen, TestContext.Current.CancellationToken);
        Assert.Empty(scan.Dirty);
        return scan.Manifest;
    }

    /// <summary>Carries what a store lacks of a manifest out of a tree, over the wire formats. Returns the bytes of all batches.</summary>
    public static long Transfer(string root, ChunkCatalogue catalogue, IChunkStore store)
    {
        ChunkDemand wanted = ChunkDemand.Of(catalogue, store);
        Assert.True(ChunkDemand.TryParse(wanted.Serialize(), catalogue, out ChunkDemand? demand, out string? reason), reason);

        using ChunkSource source = new(root);
        ChunkBatch batch = new();
        long bytes = 0;
        foreach (ChunkLocation location in demand.Wanted)
        {
            Assert.True(source.TryRead(location, out EncodedChunk chunk), $"{location.Path} at {location.Offset} is stale");
            if (batch.TryAdd(chunk))
                continue;
            bytes += Deliver(batch, store);
            Assert.True(batch.TryAdd(chunk));
        }

        return bytes + Deliver(batch, store);
    }

    /// <summary>Applies with a new applier, as after a crash.</summary>
    public static ApplySummary Apply(string root, Manifest manifest, IChunkStore store)
    {
        using TreeApplier applier = new(root, store);
        return applier.Apply(manifest, cancellationToken: TestContext.Current.CancellationToken);
    }

    /// <summary>Fails with the differences in words.</summary>
    public static void AssertEqual(Manifest expected, Manifest actual)
    {
        IReadOnlyList<ManifestDifference> differences = Manifest.Compare(expected, actual);
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.Equal(expected.Digest, actual.Digest);
    }

    /// <summary>What coreutils see of a tree: an oracle that shares no code with the scanner.</summary>
    public static string Look(string root) => TestDirectory.Sh(
        root,
        """find . -printf '%p %y %m %U:%G %T@ %s %l %n\n' | sed '/ d /s/ [0-9]* *[0-9]*$//' | sort; find . -type f -print0 | sort -z | xargs -0 -r sha256sum""");

    public static unsafe void SetXattr(string path, string name, byte[] value)
    {
        fixed (byte* pathBytes = Encoding.UTF8.GetBytes(path + "\0"))
        fixed (byte* nameBytes = Encoding.UTF8.GetBytes(name + "\0"))
        fixed (byte* valueBytes = value)
            Assert.True(Libc.SetXattr(pathBytes, nameBytes, valueBytes, (nuint)value.Length, 0) == 0, $"setxattr {name}: errno {Errno.Last}");
    }

    private static long Deliver(ChunkBatch batch, IChunkStore store)
    {
        long length = batch.Bytes.Length;
        Assert.True(ChunkBatch.TryParse(batch.Bytes.ToArray(), out IReadOnlyList<EncodedChunk>? chunks, out string? reason), reason);
        foreach (EncodedChunk chunk in chunks)
            Assert.True(store.TryWrite(chunk, out reason), reason);
        batch.Clear();
        return length;
    }
}
