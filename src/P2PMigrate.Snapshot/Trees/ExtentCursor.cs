using System.Collections.Immutable;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Trees;

/// <summary>Walks the extents of a file along with its cells, both by offset, without starting over.</summary>
internal sealed class ExtentCursor(ImmutableArray<FileExtent> extents)
{
    private int _index;

    /// <summary>The parts of extents inside a range that does not lie before the last one asked for.</summary>
    public IEnumerable<FileExtent> Within(long offset, long length)
    {
        long end = offset + length;
        while (_index < extents.Length && extents[_index].End <= offset)
            _index++;

        for (int index = _index; index < extents.Length && extents[index].Offset < end; index++)
        {
            long start = Math.Max(offset, extents[index].Offset);
            yield return new FileExtent(start, Math.Min(end, extents[index].End) - start);
        }
    }
}
