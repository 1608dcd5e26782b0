using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

[Collection<FileLocks>]
public sealed class DirectoryChunkStoreTests : ChunkStoreConformance, IDisposable
{
    private readonly TestDirectory _directory = new();
    private DirectoryChunkStore _store;

    public DirectoryChunkStoreTests() => _store = new DirectoryChunkStore(_directory.Path);

    private protected override IChunkStore Store => _store;

    private string Index => Assert.Single(Directory.GetFiles(_directory.Path, "*.index"));

    private string Payloads => Assert.Single(Directory.GetFiles(_directory.Path, "*.data"));

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
        Assert.Equal(2 * ChunkPackEntry.Size, new FileInfo(Index).Length);
        Assert.Equal(Samples.RawChunk.Payload.Length + Samples.CompressedChunk.Payload.Length, new FileInfo(Payloads).Length);
    }

    /// <summary>The last entry is cut at each length, as a crash may do; what came before stays, and the store goes on.</summary>
    // spec: SNAP-106
    [Fact]
    public void An_entry_cut_short_by_a_crash_is_absent_and_can_be_written_again()
    {
        for (int length = 0; length < ChunkPackEntry.Size; length++)
        {
            Write(Samples.RawChunk);
            Write(Samples.CompressedChunk);
            Reopen(() => Cut(Index, ChunkPackEntry.Size + length));
            Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
            Assert.False(Store.Contains(Samples.CompressedChunk.Id));
        }

        Write(Samples.CompressedChunk);
        Reopen();
        Assert.Equal(2, Store.Count);
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
        Assert.Equal(2 * ChunkPackEntry.Size, new FileInfo(Index).Length);
    }

    /// <summary>A loss of power may keep an entry and not the payload that was written before it.</summary>
    // spec: SNAP-106
    [Fact]
    public void An_entry_without_its_payload_is_absent_and_can_be_written_again()
    {
        for (int length = 0; length < Samples.CompressedChunk.Payload.Length; length++)
        {
            Write(Samples.RawChunk);
            Write(Samples.CompressedChunk);
            Reopen(() => Cut(Payloads, Samples.RawChunk.Payload.Length + length));
            Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
            Assert.False(Store.Contains(Samples.CompressedChunk.Id));
        }

        Write(Samples.CompressedChunk);
        Reopen();
        Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
    }

    // spec: SNAP-24
    [Fact]
    public void A_chunk_with_a_wrong_byte_is_absent_for_good_and_can_be_written_again()
    {
        Write(Samples.RawChunk);
        Write(Samples.CompressedChunk);
        Reopen(() => Change(Payloads, file => file.WriteByte((byte)'j')));
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
    // spec: SNAP-106
    [Fact]
    public void Zeros_and_rubbish_in_the_index_are_no_chunks_and_hide_none()
    {
        Write(Samples.RawChunk);
        Reopen(() => Change(Index, file =>
        {
            file.Position = file.Length;
            file.Write(new byte[50 * ChunkPackEntry.Size]);
            file.Write(Enumerable.Repeat((byte)0xEE, (50 * ChunkPackEntry.Size) + 1).ToArray());
        }));
        Assert.Equal(1, Store.Count);
        Write(Samples.CompressedChunk);
        Reopen();
        Assert.Equal(2, Store.Count);
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
    }

    [Fact]
    public void Half_a_pack_is_none()
    {
        Write(Samples.RawChunk);
        Reopen(() => File.Delete(Payloads));
        Assert.Equal(0, Store.Count);
        Write(Samples.RawChunk);
        Assert.Equal("hello"u8, Read(Samples.RawChunk.Id));
    }

    // spec: SNAP-106
    [Fact]
    public void Two_stores_write_into_one_directory_at_once_and_the_next_one_has_it_all()
    {
        Write(Samples.RawChunk);
        using (var other = new DirectoryChunkStore(_directory.Path))
        {
            Assert.True(other.Contains(Samples.RawChunk.Id));
            Assert.True(other.TryWrite(Samples.CompressedChunk, out _));
            EncodedChunk more = EncodedChunk.Encode("more"u8);
            Write(more);
            Assert.True(other.TryWrite(EncodedChunk.Encode("other"u8), out _));
        }

        Reopen();
        Assert.Equal(4, Store.Count);
        Assert.Equal("other"u8, Read(ChunkId.Of("other"u8)));
        Assert.Equal("more"u8, Read(ChunkId.Of("more"u8)));
        Assert.Equal(1000, Read(Samples.CompressedChunk.Id).Length);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_told_in_a_sentence()
    {
        string file = Path.Combine(_directory.Path, "file");
        File.WriteAllText(file, "");
        SnapshotException exception = Assert.Throws<SnapshotException>(() => new DirectoryChunkStore(Path.Combine(file, "store")));
        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    private void Reopen(Action? change = null)
    {
        _store.Dispose();
        change?.Invoke();
        _store = new DirectoryChunkStore(_directory.Path);
    }

    private static void Cut(string path, long length) => Change(path, file => file.SetLength(length));

    private static void Change(string path, Action<FileStream> change)
    {
        using FileStream file = File.Open(path, FileMode.Open);
        change(file);
    }
}
