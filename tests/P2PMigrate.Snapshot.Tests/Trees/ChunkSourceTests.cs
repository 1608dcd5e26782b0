using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Trees;

[Trait("Spec", "SNAP-62")]
public sealed class ChunkSourceTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly ChunkSource _source;

    public ChunkSourceTests()
    {
        TestDirectory.Sh(_directory.Path, "printf one > a; head -c 300000 /dev/urandom > b");
        _source = new ChunkSource(_directory.Path);
    }

    public void Dispose()
    {
        _source.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_file_that_was_replaced_is_read_anew_once_the_old_one_is_closed()
    {
        Assert.True(_source.TryRead(Catalogue().Last(), out _));
        TestDirectory.Sh(_directory.Path, "head -c 300000 /dev/urandom > b.new; mv b.new b");
        ChunkLocation replaced = Catalogue().Last();

        Assert.False(_source.TryRead(replaced, out _));
        _source.Close();
        Assert.True(_source.TryRead(replaced, out _));
    }

    [Fact]
    public void Every_chunk_of_a_catalogue_is_read()
    {
        foreach (ChunkLocation location in Catalogue())
        {
            Assert.True(_source.TryRead(location, out EncodedChunk chunk));
            Assert.Equal(location.Chunk, chunk.Id);
            Assert.True(chunk.TryDecode(new byte[SnapshotLimits.ChunkLength], out string? reason), reason);
        }
    }

    /// <summary>The container's machine has other uses for its memory. What somebody else has there stays.</summary>
    [Fact]
    public void What_is_read_for_it_does_not_stay_in_memory()
    {
        const string Facts = "stat -f -c %T .; fincore -nr -o PAGES b; fincore -nr -o PAGES c";
        string[] before = TestDirectory.Sh(_directory.Path, $"head -c 4194304 /dev/urandom > c; sync c; dd if=c iflag=nocache count=0 2>/dev/null; {Facts}").Split('\n');
        Assert.SkipUnless(Environment.OSVersion.Version >= new Version(6, 15) && before[0] is "ext2/ext3" or "xfs" or "btrfs" && before[2] == "0", "This kernel or file system keeps in memory what was read.");

        foreach (ChunkLocation location in Catalogue())
            Assert.True(_source.TryRead(location, out _));

        Assert.Equal(before, TestDirectory.Sh(_directory.Path, Facts).Split('\n'));
    }

    [Theory]
    [InlineData("printf two > a")]
    [InlineData("printf on > a")]
    [InlineData("rm a")]
    [InlineData("rm a; ln -s b a")]
    [InlineData("rm a; mkdir a")]
    [InlineData("rm a; mkfifo a")]
    public void What_has_changed_is_stale(string change)
    {
        ChunkLocation location = Catalogue()[0];
        TestDirectory.Sh(_directory.Path, change);
        Assert.False(_source.TryRead(location, out _));
    }

    [Fact]
    public void What_has_grown_is_still_good_where_it_was()
    {
        ChunkLocation location = Catalogue()[0];
        TestDirectory.Sh(_directory.Path, "printf ' more' >> a");
        Assert.True(_source.TryRead(location, out _));
    }

    private System.Collections.Immutable.ImmutableArray<ChunkLocation> Catalogue() => ChunkCatalogue.Of(Tree.Scan(_directory.Path)).Chunks;
}
