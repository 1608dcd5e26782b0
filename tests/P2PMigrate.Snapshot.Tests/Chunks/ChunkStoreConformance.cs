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

public sealed class DirectoryChunkStoreTests : ChunkStoreConformance, IDisposable
{
    private readonly TestDirectory _directory = new();

    public DirectoryChunkStoreTests() => Store = new DirectoryChunkStore(_directory.Path);

    private protected override IChunkStore Store { get; }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_store_that_is_opened_again_has_all_it_had()
    {
        Write(Samples.RawChunk);
        DirectoryChunkStore again = new(_directory.Path);
        Assert.Equal(1, again.Count);
        Assert.True(again.TryRead(Samples.RawChunk.Id, new byte[SnapshotLimits.ChunkLength], out int length));
        Assert.Equal(5, length);
    }

    // spec: SNAP-24
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(44)]
    public void A_chunk_cut_short_by_a_crash_is_absent_and_can_be_written_again(int length)
    {
        Write(Samples.RawChunk);
        using (FileStream file = File.OpenWrite(FileOf(Samples.RawChunk.Id)))
            file.SetLength(length);
        AssertAbsentThenWritten();
    }

    // spec: SNAP-24
    [Fact]
    public void A_chunk_with_a_wrong_byte_is_absent_and_can_be_written_again()
    {
        Write(Samples.RawChunk);
        byte[] record = File.ReadAllBytes(FileOf(Samples.RawChunk.Id));
        record[^1] ^= 1;
        File.WriteAllBytes(FileOf(Samples.RawChunk.Id), record);
        AssertAbsentThenWritten();
    }

    [Fact]
    public void A_chunk_that_somebody_deleted_is_absent()
    {
        Write(Samples.RawChunk);
        File.Delete(FileOf(Samples.RawChunk.Id));
        AssertAbsentThenWritten();
    }

    [Fact]
    public void What_a_crash_left_half_written_is_removed()
    {
        string leftover = Path.Combine(_directory.Path, "new-1");
        File.WriteAllText(leftover, "half");
        Assert.Equal(0, new DirectoryChunkStore(_directory.Path).Count);
        Assert.False(File.Exists(leftover));
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_told_in_a_sentence()
    {
        string file = Path.Combine(_directory.Path, "file");
        File.WriteAllText(file, "");
        SnapshotException exception = Assert.Throws<SnapshotException>(() => new DirectoryChunkStore(Path.Combine(file, "store")));
        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    private void AssertAbsentThenWritten()
    {
        Assert.False(Store.TryRead(Samples.RawChunk.Id, new byte[SnapshotLimits.ChunkLength], out _));
        Assert.False(Store.Contains(Samples.RawChunk.Id));
        Assert.False(File.Exists(FileOf(Samples.RawChunk.Id)));
        Write(Samples.RawChunk);
        Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
    }

    private string FileOf(ChunkId id) => Path.Combine(_directory.Path, id.ToString()[..2], id.ToString()[2..]);
}
