using P2PMigrate.Containers.Criu;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class PageServerConversationTests
{
    private const ulong Process7 = 7 << 8 | 1;
    private const ulong Shared9 = 9 << 8 | 2;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_whole_dump_reaches_the_sink_and_is_answered_as_criu_expects(bool wide)
    {
        var client = new ScriptedCriu(new PageServerDialect(wide))
            .Send(PageServerCommand.Open2, 0, 0, 0, Process7)
            .Send(PageServerCommand.AddFlagged, 6, 2, 0x1000, Process7).Pages(2, 'a')
            .Send(PageServerCommand.AddFlagged, 2, 5, 0x3000, Process7)
            .Send(PageServerCommand.Parent, 0, 0, 0, Shared9)
            .Send(PageServerCommand.Open2, 0, 0, 0, Shared9)
            .Send(PageServerCommand.AddFlagged, 4, 1, 0, Shared9).Pages(1, 'b')
            .Send(PageServerCommand.Close, 0, 0, 0, 0);
        var sink = new RecordedPages();

        Assert.Equal(3, await client.RunAsync(sink));
        Assert.True(sink.IsComplete);
        Assert.Equal([new PageSpace(PageSpaceKind.Process, 7), new PageSpace(PageSpaceKind.SharedMemory, 9)], sink.Spaces);
        Assert.Equal([new PageRun(0x1000, 2, 6), new PageRun(0x3000, 5, 2), new PageRun(0, 1, 4)], sink.Runs.Select(run => run.Run));
        Assert.Equal(Enumerable.Repeat((byte)'a', 8192), sink.Runs[0].Content);
        Assert.Empty(sink.Runs[1].Content);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], client.Answers); // byte, int32, byte, int32
    }

    [Fact]
    public async Task A_long_run_is_handed_on_in_pieces_without_losing_a_page()
    {
        const int pages = (3 * PageServerConversation.PieceBytes / PageRun.PageSize) + 1;
        byte[] content = new byte[pages * PageRun.PageSize];
        new Random(5).NextBytes(content);
        var client = new ScriptedCriu(new PageServerDialect(true))
            .Send(PageServerCommand.Open2, 0, 0, 0, Process7)
            .Send(PageServerCommand.AddFlagged, 4, pages, 0x10000, Process7).Raw(content)
            .Send(PageServerCommand.ForceClose, 0, 0, 0, 0);
        var sink = new RecordedPages();

        Assert.Equal(pages, await client.RunAsync(sink));
        Assert.Equal(content, sink.Runs.SelectMany(run => run.Content));
        Assert.All(sink.Runs, run => Assert.InRange(run.Content.Length, 1, PageServerConversation.PieceBytes));
        Assert.Equal(0x10000UL, sink.Runs[0].Run.Address);
    }

    [Fact]
    public async Task It_makes_no_difference_how_the_bytes_are_cut()
    {
        var client = new ScriptedCriu(new PageServerDialect(true), bytesPerRead: 1000)
            .Send(PageServerCommand.Open2, 0, 0, 0, Process7)
            .Send(PageServerCommand.AddFlagged, 4, 300, 0, Process7).Pages(300, 'x')
            .Send(PageServerCommand.Close, 0, 0, 0, 0);
        Assert.Equal(300, await client.RunAsync(new RecordedPages()));
    }

    [Theory]
    [InlineData((ushort)PageServerCommand.Hole, 0, 1UL, 0UL, Process7)]
    [InlineData((ushort)PageServerCommand.Get, 0, 1UL, 0UL, 7UL)]
    [InlineData((ushort)99, 0, 1UL, 0UL, Process7)]
    [InlineData((ushort)PageServerCommand.Open2, 0, 0UL, 0UL, 3UL)]               // no such kind of space
    [InlineData((ushort)PageServerCommand.AddFlagged, 4, 1UL, 0x1000UL, Shared9)] // not the open space
    [InlineData((ushort)PageServerCommand.AddFlagged, 1, 1UL, 0x1000UL, Process7)] // in a parent that was never offered
    [InlineData((ushort)PageServerCommand.AddFlagged, 8, 1UL, 0x1000UL, Process7)]
    [InlineData((ushort)PageServerCommand.AddFlagged, 4, 0UL, 0x1000UL, Process7)]
    [InlineData((ushort)PageServerCommand.AddFlagged, 4, ulong.MaxValue, 0x1000UL, Process7)]
    [InlineData((ushort)PageServerCommand.AddFlagged, 4, 1UL, 0x1001UL, Process7)]
    [InlineData((ushort)PageServerCommand.AddFlagged, 2, 2UL, 0xFFFF_FFFF_FFFF_F000UL, Process7)]
    public async Task What_has_no_place_in_a_full_dump_is_refused(ushort command, int flags, ulong pages, ulong address, ulong destination)
    {
        var client = new ScriptedCriu(new PageServerDialect(true))
            .Send(PageServerCommand.Open2, 0, 0, 0, Process7)
            .Send((PageServerCommand)command, (ushort)flags, pages, address, destination).Pages(2, 'z')
            .Send(PageServerCommand.Close, 0, 0, 0, 0);
        var sink = new RecordedPages();
        await Assert.ThrowsAsync<ContainerException>(() => client.RunAsync(sink));
        Assert.False(sink.IsComplete);
    }

    [Fact]
    public async Task Pages_out_of_order_are_refused()
    {
        var client = new ScriptedCriu(new PageServerDialect(true))
            .Send(PageServerCommand.Open2, 0, 0, 0, Process7)
            .Send(PageServerCommand.AddFlagged, 2, 2, 0x2000, Process7)
            .Send(PageServerCommand.AddFlagged, 2, 1, 0x3000, Process7);
        await Assert.ThrowsAsync<ContainerException>(() => client.RunAsync(new RecordedPages()));
    }

    [Fact]
    public async Task A_connection_that_ends_anywhere_before_the_close_is_no_dump()
    {
        byte[] whole = new ScriptedCriu(new PageServerDialect(true))
            .Send(PageServerCommand.Open2, 0, 0, 0, Process7)
            .Send(PageServerCommand.AddFlagged, 4, 1, 0x1000, Process7).Pages(1, 'q').Sent;
        for (int length = 0; length <= whole.Length; length += length < 70 ? 1 : 97)
        {
            var sink = new RecordedPages();
            await Assert.ThrowsAsync<EndOfStreamException>(() => new ScriptedCriu(new PageServerDialect(true)).Raw(whole[..length]).RunAsync(sink));
            Assert.False(sink.IsComplete);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_sink_that_fails_is_told_apart_from_criu_and_gets_no_good_answer(int call)
    {
        var client = new ScriptedCriu(new PageServerDialect(true))
            .Send(PageServerCommand.Open, 0, 0, 0, Process7)
            .Send(PageServerCommand.AddFlagged, 4, 1, 0x1000, Process7).Pages(1, 'q')
            .Send(PageServerCommand.Close, 0, 0, 0, 0);
        PageSinkException failure = await Assert.ThrowsAsync<PageSinkException>(() => client.RunAsync(new RecordedPages { FailAtCall = call }));
        Assert.Equal("the tunnel broke", failure.Message);
        Assert.Empty(client.Answers);
    }

    [Fact]
    public async Task Random_bytes_end_in_a_refusal_or_by_chance_in_a_close_and_nothing_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int round = 0; round < 2000; round++)
        {
            byte[] noise = new byte[random.Next(0, 400)];
            random.NextBytes(noise);
            var dialect = new PageServerDialect(round % 2 == 0);
            if (noise.Length > 2 && round % 3 == 0) noise[1] = 0;
            Exception? end = await Record.ExceptionAsync(() => new ScriptedCriu(dialect).Raw(noise).RunAsync(new RecordedPages()));
            Assert.True(end is null or ContainerException or EndOfStreamException, $"seed {seed}, round {round}: {end}");
        }
    }
}
