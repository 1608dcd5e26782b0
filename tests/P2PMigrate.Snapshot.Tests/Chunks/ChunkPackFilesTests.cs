using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

/// <summary>What goes when stores have become too large.</summary>
public sealed class ChunkPackFilesTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    // spec: SNAP-107
    [Fact]
    public void What_was_not_used_for_longest_goes_first_whoever_it_belongs_to()
    {
        EncodedChunk[] chunks = [.. Enumerable.Range(0, 4).Select(Noise)];
        string[] peers = ["a", "b", "c", "d"];
        for (int index = 0; index < peers.Length; index++)
        {
            using (DirectoryChunkStore store = Open(peers[index]))
                Assert.True(store.TryWrite(chunks[index], out _));
            foreach (string file in Directory.GetFiles(Path.Combine(_directory.Path, peers[index])))
                File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(index - 10));
        }

        using (DirectoryChunkStore used = Open("a"))
            Assert.True(used.Contains(chunks[0].Id));
        long one = ChunkPackFiles.Measure(_directory.Path) / 4;
        ChunkPackFiles.Trim(_directory.Path, (2 * one) + (one / 2));

        Assert.Equal([true, false, false, true], Enumerable.Range(0, 4).Select(index => Has(peers[index], chunks[index])));
        Assert.Equal(2 * one, ChunkPackFiles.Measure(_directory.Path));
    }

    // spec: SNAP-107
    [Fact]
    public void A_store_that_is_open_keeps_what_is_removed_and_may_go_on_writing()
    {
        using DirectoryChunkStore store = Open("a");
        Assert.True(store.TryWrite(Samples.RawChunk, out _));
        ChunkPackFiles.Trim(_directory.Path, 0);
        Assert.Equal(0, ChunkPackFiles.Measure(_directory.Path));

        Assert.True(store.TryWrite(Samples.CompressedChunk, out _));
        byte[] content = new byte[SnapshotLimits.ChunkLength];
        Assert.True(store.TryRead(Samples.RawChunk.Id, content, out int length));
        Assert.Equal("hello"u8, content.AsSpan(0, length));
        Assert.True(store.TryRead(Samples.CompressedChunk.Id, content, out _));
    }

    [Fact]
    public void What_is_no_pack_any_more_goes_in_any_case()
    {
        using (DirectoryChunkStore store = Open("a"))
            Assert.True(store.TryWrite(Samples.RawChunk, out _));
        File.Delete(Assert.Single(Directory.GetFiles(Path.Combine(_directory.Path, "a"), "*.index")));
        File.WriteAllText(Path.Combine(_directory.Path, "pack-00000000"), "as earlier versions wrote them");
        ChunkPackFiles.Trim(_directory.Path, long.MaxValue);
        Assert.Empty(Directory.GetFiles(_directory.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_directory_that_is_not_there_holds_nothing()
    {
        string missing = Path.Combine(_directory.Path, "missing");
        ChunkPackFiles.Trim(missing, 0);
        Assert.Equal(0, ChunkPackFiles.Measure(missing));
    }

    private DirectoryChunkStore Open(string peer) => new(Path.Combine(_directory.Path, peer));

    private bool Has(string peer, in EncodedChunk chunk)
    {
        using DirectoryChunkStore store = Open(peer);
        return store.TryRead(chunk.Id, new byte[SnapshotLimits.ChunkLength], out _);
    }

    private static EncodedChunk Noise(int seed)
    {
        byte[] content = new byte[10_000];
        new Random(seed).NextBytes(content);
        return EncodedChunk.Encode(content);
    }
}
