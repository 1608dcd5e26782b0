using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

/// <summary>What every store must do; each store has a class that runs it.</summary>
public abstract class ChunkStoreConformance
{
    private protected abstract IChunkStore Store { get; }

    [Fact]
    public void A_new_store_has_nothing()
    {
        Assert.Equal(0, Store.Count);
        Assert.False(Store.Contains(Samples.RawChunk.Id));
        Assert.False(Store.TryRead(Samples.RawChunk.Id, new byte[SnapshotLimits.ChunkLength], out _));
    }

    [Fact]
    public void What_is_written_is_there_and_is_read_again()
    {
        Write(Samples.RawChunk);
        Write(Samples.CompressedChunk);
        Assert.Equal(2, Store.Count);
        Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
    }

    [Fact]
    public void Writing_the_same_again_does_nothing()
    {
        Write(Samples.RawChunk);
        Write(Samples.RawChunk);
        Assert.Equal(1, Store.Count);
    }

    // spec: SNAP-22
    [Fact]
    public void Content_under_another_name_is_not_kept()
    {
        ChunkId name = ChunkId.Of("something else"u8);
        EncodedChunk liar = EncodedChunk.Encode(name, "hello"u8, new byte[5]);
        Assert.False(Store.TryWrite(liar, out string? reason));
        Assert.NotEmpty(reason);
        Assert.False(Store.Contains(name));
    }

    [Fact]
    public async Task Several_threads_write_and_read_at_once()
    {
        EncodedChunk[] chunks = [.. Enumerable.Range(0, 200).Select(index => EncodedChunk.Encode(BitConverter.GetBytes(index)))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            foreach (EncodedChunk chunk in chunks)
            {
                Write(chunk);
                Assert.Equal(4, Read(chunk.Id).Length);
            }
        })));
        Assert.Equal(chunks.Length, Store.Count);
    }

    private protected void Write(in EncodedChunk chunk) => Assert.True(Store.TryWrite(chunk, out string? reason), reason);

    private protected byte[] Read(in ChunkId id)
    {
        byte[] content = new byte[SnapshotLimits.ChunkLength];
        Assert.True(Store.Contains(id));
        Assert.True(Store.TryRead(id, content, out int length));
        return content[..length];
    }
}

public sealed class MemoryChunkStoreTests : ChunkStoreConformance
{
    private protected override IChunkStore Store { get; } = new MemoryChunkStore();
}
