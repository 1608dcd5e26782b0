using System.IO.Pipelines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Tests.Transfer;

/// <summary>Memory ahead of the freeze, and pages that are only numbers, from a source that lies.</summary>
public sealed class HostilePagesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-pages-").FullName;
    private readonly PageKey _key = PageKey.Create();
    private readonly KeptPages _kept;
    private readonly TransferMeter _meter = new(() => { });

    public HostilePagesTests() => _kept = new KeptPages(_directory, 0);

    public void Dispose()
    {
        _kept.Dispose();
        _key.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    [Trait("Spec", "MIG-81")]
    public async Task A_run_is_put_together_of_fresh_and_kept_pages_in_its_order()
    {
        await RoundAsync(0, Live(0, Page(1), Page(2), Page(3)));
        await RoundAsync(1, Live(3, Page(4)));
        byte[][] pages = [Page(2), Page(3), Page(9), new byte[PageRun.PageSize], Page(1), Page(4)];
        byte[] stream = Dump(pages, Kept(1, 2), Fresh(Page(9), new byte[PageRun.PageSize]), Kept(0, 1), Kept(3, 1));
        var sink = new Sink();

        Assert.Equal(6 * PageRun.PageSize, await DumpAsync(stream, sink));

        Assert.Equal(pages.SelectMany(page => page), sink.Pages.ToArray());
    }

    [Fact]
    [Trait("Spec", "MIG-81")]
    public async Task A_run_longer_than_a_piece_is_put_together_piece_by_piece()
    {
        byte[][] pages = [.. Enumerable.Range(0, PageReceiver.PiecePages + 100).Select(Page)];
        for (int first = 0; first < pages.Length; first += SnapshotLimits.MaxBlockPages)
            await RoundAsync(first / SnapshotLimits.MaxBlockPages, Live(first, pages[first..Math.Min(pages.Length, first + SnapshotLimits.MaxBlockPages)]));
        var sink = new Sink();

        await DumpAsync(Dump([Page(-1), .. pages], Fresh(Page(-1)), Kept(0, pages.Length)), sink);

        Assert.Equal([.. Page(-1), .. pages.SelectMany(page => page)], sink.Pages.ToArray());
    }

    [Theory]
    [InlineData(2ul, 1)]
    [InlineData(0ul, 3)]
    [InlineData(1ul, 2)]
    [InlineData(ulong.MaxValue, 1)]
    [Trait("Spec", "MEM-03")]
    public async Task Pages_that_were_never_sent_cannot_be_named(ulong number, int count)
    {
        await RoundAsync(0, Live(0, Page(1), Page(2)));
        await AssertPeerFaultAsync(() => DumpAsync(Dump([.. Enumerable.Repeat(Page(1), count)], Kept(number, count)), new Sink()));
    }

    [Fact]
    [Trait("Spec", "MEM-03")]
    public Task Pages_cannot_be_named_when_nothing_is_kept() =>
        AssertPeerFaultAsync(() => DumpAsync(Dump([Page(1)], Kept(0, 1)), new Sink()));

    [Fact]
    [Trait("Spec", "MEM-04")]
    public async Task Other_pages_than_the_source_dumped_are_found_out()
    {
        await RoundAsync(0, Live(0, Page(1), Page(2)));
        await Assert.ThrowsAsync<SnapshotException>(() => DumpAsync(Dump([Page(1)], Kept(1, 1)), new Sink()));
    }

    [Fact]
    [Trait("Spec", "MIG-81")]
    public async Task More_pages_than_a_run_has_are_the_peers_fault()
    {
        await RoundAsync(0, Live(0, Page(1), Page(2)));
        await AssertPeerFaultAsync(() => DumpAsync(Dump([Page(1)], Kept(0, 2)), new Sink()));
        await AssertPeerFaultAsync(() => DumpAsync(Dump([Page(1)], Fresh(Page(1), Page(2))), new Sink()));
        await AssertPeerFaultAsync(() => DumpAsync(Dump([Page(1)], [.. Bytes(PageRecord.Fresh(0, 2)), .. Block(Page(1))]), new Sink()));
        await AssertPeerFaultAsync(() => DumpAsync(Dump([Page(1)], [.. Bytes(PageRecord.Fresh(7, 1)), .. Block(Page(1))]), new Sink()));
    }

    [Fact]
    [Trait("Spec", "MEM-20")]
    public Task Memory_that_is_left_for_later_without_having_been_agreed_on_is_the_peers_fault() =>
        AssertPeerFaultAsync(() => DumpAsync([.. Bytes(PageRecord.Of(new PageSpace(PageSpaceKind.Process, 7))), .. Bytes(PageRecord.Of(new PageRun(0x1000, 2, 2))), .. Bytes(PageRecord.End(0))], new Sink()));

    [Fact]
    [Trait("Spec", "MIG-80")]
    public async Task Live_pages_out_of_order_or_of_zeros_or_of_another_kind_are_the_peers_fault()
    {
        await AssertPeerFaultAsync(() => FirstRoundAsync(Live(1, Page(1))));
        await AssertPeerFaultAsync(() => FirstRoundAsync([.. Bytes(PageRecord.Fresh(0, 1)), .. Block(new byte[PageRun.PageSize]), .. Bytes(PageRecord.End(1))]));
        await AssertPeerFaultAsync(() => FirstRoundAsync(Bytes(PageRecord.Kept(0, 1))));
        await AssertPeerFaultAsync(() => FirstRoundAsync(Bytes(PageRecord.Of(new PageRun(0, 1, 4)))));
        await AssertPeerFaultAsync(() => FirstRoundAsync(Bytes(PageRecord.End(1))));
        byte[] whole = Live(0, Page(1), Page(2));
        for (int length = 0; length < whole.Length; length += 7)
            await AssertPeerFaultAsync(() => FirstRoundAsync(whole[..length]));
    }

    [Fact]
    [Trait("Spec", "MIG-80")]
    public async Task Rounds_out_of_turn_and_another_key_are_the_peers_fault()
    {
        await AssertPeerFaultAsync(() => RoundAsync(1, Live(0)));
        await RoundAsync(0, Live(0, Page(1)));
        await AssertPeerFaultAsync(() => RoundAsync(0, Live(1)));
        using PageKey other = PageKey.Create();
        await AssertPeerFaultAsync(() => RoundAsync(1, Live(1), other.Export()));
        await AssertPeerFaultAsync(() => RoundAsync(1, Live(1), []));
        await DumpAsync(Dump([Page(1)], Kept(0, 1)), new Sink());
        await AssertPeerFaultAsync(() => RoundAsync(1, Live(1)));
    }

    [Fact]
    [Trait("Spec", "MIG-27")]
    public async Task More_live_memory_than_was_claimed_with_room_to_grow_is_the_peers_fault()
    {
        long allowed = KeptPages.BytesFor(0) / PageRun.PageSize;
        using var kept = new KeptPages(_directory, 0);
        kept.Spend(allowed * PageRun.PageSize);
        var header = new StreamHeader(default, ContentKind.LiveMemory, PageKey: _key.Export());
        await AssertPeerFaultAsync(() => new LiveMemoryReceiver(kept, _meter).ReceiveRoundAsync(Reader(Live(0, Page(1))), header, CancellationToken.None));
    }

    [Fact]
    [Trait("Spec", "MIG-87")]
    public async Task A_target_without_room_keeps_the_first_pages_and_says_so_and_the_dump_goes_on()
    {
        long free = 1 << 20;
        using var kept = new KeptPages(_directory, 1 << 20, () => free);
        var receiver = new LiveMemoryReceiver(kept, _meter);
        var header = new StreamHeader(default, ContentKind.LiveMemory, PageKey: _key.Export());
        Assert.Equal(0, await receiver.ReceiveRoundAsync(Reader(Live(0, Page(1), Page(2))), header, CancellationToken.None));
        free += 2 * PageRun.PageSize;
        Assert.Equal(2 * PageRun.PageSize, await receiver.ReceiveRoundAsync(Reader(Live(0, Page(1), Page(2))), header with { Round = 1 }, CancellationToken.None));
        byte[] large = [.. Live(2, Page(3), Page(4))[..^PageRecord.Size], .. Live(4, Page(5), Page(6), Page(7))[..^PageRecord.Size], .. Bytes(PageRecord.End(5))];
        Assert.Equal(2 * PageRun.PageSize, await receiver.ReceiveRoundAsync(Reader(large), header with { Round = 2 }, CancellationToken.None));

        var sink = new Sink();
        await new PageReceiver(sink, kept, new ContentBudget(0), _meter).ReceiveAsync(
            Reader(Dump([Page(4), Page(5)], Kept(3, 1), Fresh(Page(5)))), new StreamHeader(default, ContentKind.Memory, PageKey: _key.Export()), CancellationToken.None);
        Assert.Equal([.. Page(4), .. Page(5)], sink.Pages.ToArray());
        Assert.DoesNotContain(Directory.EnumerateFiles("/proc/self/fd"), path => new FileInfo(path).LinkTarget?.StartsWith(_directory, StringComparison.Ordinal) == true);
    }

    [Fact]
    [Trait("Spec", "MIG-27")]
    public async Task Spaces_and_runs_without_pages_are_not_free()
    {
        var header = new StreamHeader(default, ContentKind.Memory, PageKey: _key.Export());
        byte[] space = Bytes(PageRecord.Of(new PageSpace(PageSpaceKind.Process, 1)));
        byte[] run = Bytes(PageRecord.Of(new PageRun(0x1000, 1, 0)));
        Task ReceiveAsync(long bytes, params byte[][] stream) => new PageReceiver(new Sink(), _kept, ContentBudget.OfBytes(bytes), _meter).ReceiveAsync(
            Reader([.. stream.SelectMany(part => part)]), header, CancellationToken.None);
        await AssertFaultAsync("far more", () => ReceiveAsync((2 * PageReceiver.SpaceCost) - 1, space, space));
        await AssertFaultAsync("far more", () => ReceiveAsync(PageReceiver.SpaceCost + (2 * PageReceiver.RunCost) - 1, space, run, run));
        await AssertFaultAsync("in the middle", () => ReceiveAsync(PageReceiver.SpaceCost + (2 * PageReceiver.RunCost), space, run, run));
    }

    private static async Task AssertFaultAsync(string words, Func<Task> action) =>
        Assert.Contains(words, (await Assert.ThrowsAsync<MigrationException>(action)).Message, StringComparison.Ordinal);

    private async Task<long> FirstRoundAsync(byte[] stream)
    {
        using var kept = new KeptPages(_directory, 0);
        var header = new StreamHeader(default, ContentKind.LiveMemory, PageKey: _key.Export());
        return await new LiveMemoryReceiver(kept, _meter).ReceiveRoundAsync(Reader(stream), header, CancellationToken.None);
    }

    private Task<long> RoundAsync(int round, byte[] stream, byte[]? key = null) => new LiveMemoryReceiver(_kept, _meter).ReceiveRoundAsync(
        Reader(stream), new StreamHeader(default, ContentKind.LiveMemory, round, PageKey: key ?? _key.Export()), CancellationToken.None);

    private Task<long> DumpAsync(byte[] stream, IPageSink sink) => new PageReceiver(sink, _kept, new ContentBudget(0), _meter).ReceiveAsync(
        Reader(stream), new StreamHeader(default, ContentKind.Memory, PageKey: _key.Export()), CancellationToken.None);

    private static async Task AssertPeerFaultAsync(Func<Task> action) =>
        Assert.Equal(MigrationFault.PeerBrokeProtocol, (await Assert.ThrowsAsync<MigrationException>(action)).Fault);

    private static byte[] Live(int number, params byte[][] pages) => pages.Length == 0
        ? Bytes(PageRecord.End(0))
        : [.. Bytes(PageRecord.Fresh((ulong)number, pages.Length)), .. Block(pages), .. Bytes(PageRecord.End(pages.Length))];

    private static byte[] Fresh(params byte[][] pages) => [.. Bytes(PageRecord.Fresh(0, pages.Length)), .. Block(pages)];

    private static byte[] Kept(ulong number, int pages) => Bytes(PageRecord.Kept(number, pages));

    private static byte[] Block(params byte[][] pages)
    {
        byte[] block = new byte[PageBlock.MaxLength];
        return block[..PageBlock.Encode((byte[])[.. pages.SelectMany(page => page)], block)];
    }

    /// <summary>One run of <paramref name="pages"/>, which the digest is of, and what stands for them in the stream.</summary>
    private byte[] Dump(byte[][] pages, params byte[][] pieces)
    {
        byte[] space = Bytes(PageRecord.Of(new PageSpace(PageSpaceKind.Process, 1)));
        byte[] run = Bytes(PageRecord.Of(new PageRun(0x1000, (uint)pages.Length, 4)));
        using var digest = new MemoryDigest();
        digest.AddRecord(space);
        digest.AddRecord(run);
        foreach (byte[] page in pages)
            digest.AddPage(_key.NameOf(page));
        return [.. space, .. run, .. pieces.SelectMany(piece => piece), .. Bytes(PageRecord.End(pages.Length)), .. digest.Finish()];
    }

    private static byte[] Page(int seed)
    {
        byte[] page = new byte[PageRun.PageSize];
        new Random(seed).NextBytes(page);
        return page;
    }

    private static byte[] Bytes(PageRecord record)
    {
        byte[] bytes = new byte[PageRecord.Size];
        record.Write(bytes);
        return bytes;
    }

    private static PipeReader Reader(byte[] bytes) => PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(bytes));

    private sealed class Sink : IPageSink
    {
        public MemoryStream Pages { get; } = new();

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            Pages.Write(pages.Span);
            return ValueTask.CompletedTask;
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
