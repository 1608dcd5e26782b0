using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

public sealed class ChunkDemandTests
{
    private readonly ChunkCatalogue _catalogue = ChunkCatalogue.Of(Samples.Manifest);
    private readonly MemoryChunkStore _store = new();

    // spec: SNAP-60
    [Fact]
    public void A_catalogue_lists_each_chunk_once_where_it_is_first_used()
    {
        Assert.Equal([Samples.RawChunk.Id, Samples.CompressedChunk.Id], _catalogue.Chunks.Select(location => location.Chunk));
        Assert.Equal("bin/ping", _catalogue.Chunks[0].Path.ToString());
        Assert.Equal(131_072, _catalogue.Chunks[1].Offset);
    }

    [Fact]
    public void A_delta_needs_the_chunks_of_its_own_files_only() => Assert.Empty(ChunkCatalogue.Of(Samples.Delta).Chunks);

    [Fact]
    public void Only_what_the_store_lacks_is_wanted()
    {
        Assert.Equal(2, ChunkDemand.Of(_catalogue, _store).Count);
        Assert.True(_store.TryWrite(Samples.RawChunk, out _));
        Assert.True(ChunkDemand.TryParse(ChunkDemand.Of(_catalogue, _store).Serialize(), _catalogue, out ChunkDemand? demand, out string? reason), reason);
        Assert.Equal([Samples.CompressedChunk.Id], demand.Wanted.Select(location => location.Chunk));
        Assert.Equal(131_072, demand.Length);
    }

    // spec: SNAP-61
    [Fact]
    public void A_demand_for_another_catalogue_is_refused()
    {
        byte[] demand = ChunkDemand.Of(_catalogue, _store).Serialize();
        Assert.False(ChunkDemand.TryParse(demand, ChunkCatalogue.Of(Samples.Delta), out _, out string? reason));
        Assert.Equal("the demand speaks of another catalogue", reason);

        demand[^1] |= 0x80; // a bit behind the last chunk
        Assert.False(ChunkDemand.TryParse(demand, _catalogue, out _, out reason));
        Assert.Contains("behind the end", reason, StringComparison.Ordinal);
    }
}
