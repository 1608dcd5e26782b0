using System.Collections.Immutable;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// The chunks that entries need: each once, in order of first use, with a place where its content can be read. Source
/// and target make the same catalogue of the same entries, so that a place in it names a chunk. Chapter 10, section 6.
/// </summary>
public sealed class ChunkCatalogue
{
    private ChunkCatalogue(ImmutableArray<ChunkLocation> chunks) => Chunks = chunks;

    /// <summary>The chunks in order of first use.</summary>
    public ImmutableArray<ChunkLocation> Chunks { get; }

    /// <summary>What all files of a manifest need.</summary>
    public static ChunkCatalogue Of(Manifest manifest) => Of(manifest.Entries);

    /// <summary>What the new and changed files of a delta need, also where they share it with files that did not change.</summary>
    public static ChunkCatalogue Of(ManifestDelta delta) => Of(delta.Upserts);

    private static ChunkCatalogue Of(ImmutableArray<TreeEntry> entries)
    {
        // spec: SNAP-60
        HashSet<ChunkId> seen = [];
        ImmutableArray<ChunkLocation>.Builder chunks = ImmutableArray.CreateBuilder<ChunkLocation>();
        foreach (FileEntry file in entries.OfType<FileEntry>())
        {
            foreach (FileCell cell in file.Content.Cells)
            {
                if (seen.Add(cell.Chunk))
                    chunks.Add(new ChunkLocation(cell.Chunk, file.Path, cell.Offset, cell.Length));
            }
        }

        return new ChunkCatalogue(chunks.ToImmutable());
    }
}

/// <summary>Where the content of a chunk can be read in the tree that the manifest describes.</summary>
/// <param name="Chunk">The chunk.</param>
/// <param name="Path">A file that holds it.</param>
/// <param name="Offset">Where in the file.</param>
/// <param name="Length">How many bytes.</param>
public readonly record struct ChunkLocation(ChunkId Chunk, TreePath Path, long Offset, int Length);
