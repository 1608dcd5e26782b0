using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

public sealed class DirectoryChunkStoreTests : ChunkStoreConformance, IDisposable
{
    private readonly TestDirectory _directory = new();
    private DirectoryChunkStore _store;

    public DirectoryChunkStoreTests() => _store = new DirectoryChunkStore(_directory.Path);

    private protected override IChunkStore Store => _store;

    private string Pack => Path.Combine(_directory.Path, "pack-00000000");

    public void Dispose()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_store_that_is_opened_again_has_all_it_had()
    {
        Write(Samples.RawChunk);
        Write(Samples.CompressedChunk);
        Reopen();
        Assert.Equal(2, Store.Count);
        Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
        Assert.Equal(Samples.RawChunk.RecordLength + Samples.CompressedChunk.RecordLength, new FileInfo(Pack).Length);
    }

    /// <summary>The last record is cut at each length, as a crash may do; what came before stays, and the store goes on.</summary>
    // spec: SNAP-24
    [Fact]
    public void A_record_cut_short_by_a_crash_is_absent_and_can_be_written_again()
    {
        for (int length = 0; length < Samples.CompressedChunk.RecordLength; length++)
        {
            Write(Samples.RawChunk);
            Write(Samples.CompressedChunk);
            Reopen(file => file.SetLength(Samples.RawChunk.RecordLength + length));
            Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
            Assert.False(Store.Contains(Samples.CompressedChunk.Id));
        }

        Write(Samples.CompressedChunk);
        Reopen();
        Assert.Equal(2, Store.Count);
    }

    // spec: SNAP-24
    [Fact]
    public void A_chunk_with_a_wrong_byte_is_absent_for_good_and_can_be_written_again()
    {
        Write(Samples.RawChunk);
        Write(Samples.CompressedChunk);
        Reopen(file =>
        {
            file.Position = EncodedChunk.HeaderSize;
            file.WriteByte((byte)'j');
        });
        Assert.True(Store.Contains(Samples.RawChunk.Id));
        Assert.False(Store.TryRead(Samples.RawChunk.Id, new byte[SnapshotLimits.ChunkLength], out _));
        Assert.False(Store.Contains(Samples.RawChunk.Id));
        Reopen();
        Assert.False(Store.Contains(Samples.RawChunk.Id));
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
        Write(Samples.RawChunk);
        Reopen();
        Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
    }

    /// <summary>After a loss of power a file may have its length but not its bytes.</summary>
    // spec: SNAP-24
    [Fact]
    public void Zeros_and_rubbish_behind_the_last_good_record_are_cut_off()
    {
        Write(Samples.RawChunk);
        Reopen(file =>
        {
            file.Position = file.Length;
            file.Write(new byte[5000]);
            file.Write(Enumerable.Repeat((byte)0xEE, 5000).ToArray());
        });
        Assert.Equal(1, Store.Count);
        Assert.Equal(Samples.RawChunk.RecordLength, new FileInfo(Pack).Length);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_told_in_a_sentence()
    {
        string file = Path.Combine(_directory.Path, "file");
        File.WriteAllText(file, "");
        SnapshotException exception = Assert.Throws<SnapshotException>(() => new DirectoryChunkStore(Path.Combine(file, "store")));
        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    private void Reopen(Action<FileStream>? change = null)
    {
        _store.Dispose();
        if (change is not null)
        {
            using FileStream file = File.Open(Pack, FileMode.Open);
            change(file);
        }

        _store = new DirectoryChunkStore(_directory.Path);
    }
}
