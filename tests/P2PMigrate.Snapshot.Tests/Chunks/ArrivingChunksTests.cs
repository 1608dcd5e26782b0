using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Snapshot.Tests.Support;
using P2PMigrate.Snapshot.Trees;

namespace P2PMigrate.Snapshot.Tests.Chunks;

[Trait("Spec", "SNAP-115")]
public sealed class ArrivingChunksTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly TestDirectory _directory = new();
    private readonly MemoryChunkStore _store = new();
    private readonly EncodedChunk[] _chunks = [.. Enumerable.Range(0, 4).Select(seed => EncodedChunk.Encode(Noise(1000, seed)))];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_chunk_that_is_on_its_way_is_waited_for()
    {
        ArrivingChunks arriving = Begin();
        Task<bool> asked = Ask(arriving, 2);
        Assert.True(arriving.TryWrite(_chunks[0], out _));
        Assert.False(asked.IsCompleted);

        Assert.True(arriving.TryWrite(_chunks[2], out _));

        Assert.True(await asked.WaitAsync(s_patience, TestContext.Current.CancellationToken));
        Assert.True(_store.Contains(_chunks[2].Id));
    }

    [Fact]
    public async Task What_was_passed_over_is_not_waited_for_any_more()
    {
        ArrivingChunks arriving = Begin();
        Task<bool> asked = Ask(arriving, 1);
        Assert.True(arriving.TryWrite(_chunks[2], out _));
        Assert.False(await asked.WaitAsync(s_patience, TestContext.Current.CancellationToken));

        Assert.True(arriving.TryWrite(_chunks[1], out _)); // out of turn, and there all the same
        Assert.True(arriving.Contains(_chunks[1].Id));
    }

    [Fact]
    public async Task At_the_end_nobody_waits()
    {
        ArrivingChunks arriving = Begin();
        Task<bool>[] asked = [Ask(arriving, 1), Ask(arriving, 3)];
        Assert.True(arriving.TryWrite(_chunks[0], out _));
        arriving.End();
        bool[] answers = await Task.WhenAll(asked).WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.All(answers, Assert.False);
        Assert.True(arriving.Contains(_chunks[0].Id));
    }

    [Fact]
    public void Nothing_is_waited_for_that_was_not_announced()
    {
        Assert.False(new ArrivingChunks(_store).Contains(_chunks[0].Id));
        Assert.True(_store.TryWrite(_chunks[0], out _));
        Assert.True(Begin().Contains(_chunks[0].Id)); // it was there, so that it was not wanted
        Assert.False(Begin().Contains(EncodedChunk.Encode("other"u8).Id));
    }

    [Fact]
    public void Content_that_is_not_what_it_is_called_does_not_count_as_come()
    {
        ArrivingChunks arriving = Begin();
        EncodedChunk liar = EncodedChunk.Raw(_chunks[0].Id, "hello"u8.ToArray());
        Assert.False(arriving.TryWrite(liar, out string? reason));
        Assert.NotNull(reason);
        arriving.End();
        Assert.False(arriving.Contains(_chunks[0].Id));
        Assert.False(arriving.TryRead(_chunks[0].Id, new byte[SnapshotLimits.ChunkLength], out _));
    }

    [Fact]
    public void What_came_last_is_at_hand_and_what_came_before_is_in_the_store()
    {
        const int Count = (ArrivingChunks.FreshMax / SnapshotLimits.ChunkLength) + 10;
        EncodedChunk[] chunks = [.. Enumerable.Range(0, Count).Select(seed => EncodedChunk.Encode(Noise(SnapshotLimits.ChunkLength, seed)))];
        ArrivingChunks arriving = Begin(chunks);
        Assert.All(chunks, chunk => Assert.True(arriving.TryWrite(chunk, out _)));
        foreach (EncodedChunk chunk in new[] { chunks[0], chunks[^1] })
        {
            byte[] content = new byte[SnapshotLimits.ChunkLength];
            Assert.True(arriving.TryRead(chunk.Id, content, out int length));
            Assert.Equal(chunk.Id, ChunkId.Of(content.AsSpan(0, length)));
        }

        arriving.End();
        Assert.Equal(Count, arriving.Count);
    }

    /// <summary>A file without its content is left out when the source has passed it; then it is as if the round had been applied after all had come.</summary>
    [Fact]
    public async Task A_tree_is_made_while_its_content_comes()
    {
        string root = _directory.Make("root");
        Manifest manifest = Wanted(_chunks);
        ArrivingChunks arriving = Begin();
        using TreeApplier applier = new(root, arriving);
        Task<ApplySummary> applying = Task.Run(() => applier.Apply(manifest, MissingContent.Skip), TestContext.Current.CancellationToken);

        Assert.True(arriving.TryWrite(_chunks[0], out _));
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(root, "f0")), s_patience));
        Assert.False(applying.IsCompleted);
        Assert.True(arriving.TryWrite(_chunks[2], out _)); // not 1: stale
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(root, "f2")), s_patience));
        arriving.End();

        ApplySummary summary = await applying.WaitAsync(s_patience, TestContext.Current.CancellationToken);
        Assert.Equal(["f1", "f3"], summary.Skipped.Select(path => path.ToString()));
        Assert.True(_store.TryWrite(_chunks[1], out _) && _store.TryWrite(_chunks[3], out _));
        Assert.Empty(applier.Apply(manifest, MissingContent.Refuse, TestContext.Current.CancellationToken).Skipped);
        Tree.AssertEqual(manifest, Tree.Scan(root));
    }

    private ArrivingChunks Begin() => Begin(_chunks);

    private ArrivingChunks Begin(EncodedChunk[] chunks)
    {
        var arriving = new ArrivingChunks(_store);
        arriving.Begin(ChunkDemand.Of(ChunkCatalogue.Of(Wanted(chunks)), _store));
        return arriving;
    }

    private Task<bool> Ask(ArrivingChunks arriving, int chunk) =>
        Task.Factory.StartNew(() => arriving.Contains(_chunks[chunk].Id), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Manifest Wanted(EncodedChunk[] chunks) => Manifest.Create(
    [
        new DirectoryEntry(TreePath.Root, Samples.Plain with { Mode = 0x1ED }),
        .. chunks.Select((chunk, index) => new FileEntry(
            TreePath.Parse($"f{index}"), Samples.Plain, new FileContent(chunk.Length, [new FileExtent(0, chunk.Length)], [chunk.Id]))),
    ]);

    private static byte[] Noise(int length, int seed)
    {
        byte[] noise = new byte[length];
        new Random(seed).NextBytes(noise);
        return noise;
    }
}
