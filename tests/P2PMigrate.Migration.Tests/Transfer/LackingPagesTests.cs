using System.IO.Pipelines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.Transfer;

/// <summary>What a target says it lacks, and what a source sends then.</summary>
public sealed class LackingPagesTests
{
    private const int Size = PageRun.PageSize;
    private static readonly PageSpace s_one = new(PageSpaceKind.Process, 1), s_two = new(PageSpaceKind.Process, 2);

    [Fact]
    [Trait("Spec", "MIG-103")]
    public async Task Only_what_is_lacking_is_sent()
    {
        LackingPages lacking = await ReadAsync(new(1, 0x2000, 1), new(1, 0x4000, 2), new(1, 0x9000, 1));
        var sink = new RunSink();
        IPageSink gate = lacking.Before(sink);

        await gate.OpenAsync(s_one, CancellationToken.None);
        await gate.WriteAsync(new PageRun(0x1000, 6, 4), Pages(1, 6), CancellationToken.None);
        await gate.WriteAsync(new PageRun(0x8000, 1, 4), Pages(8, 1), CancellationToken.None);
        await gate.OpenAsync(s_two, CancellationToken.None);
        await gate.WriteAsync(new PageRun(0x2000, 1, 4), Pages(2, 1), CancellationToken.None);
        await gate.CompleteAsync(CancellationToken.None);

        Assert.Equal(["1", "2000+1=2", "4000+2=4", "end"], sink.Said);
    }

    [Fact]
    [Trait("Spec", "MIG-103")]
    public async Task A_target_that_lacks_nothing_is_sent_nothing()
    {
        var sink = new RunSink();
        IPageSink gate = (await ReadAsync()).Before(sink);
        await gate.OpenAsync(s_one, CancellationToken.None);
        await gate.WriteAsync(new PageRun(0x1000, 6, 4), Pages(1, 6), CancellationToken.None);
        await gate.CompleteAsync(CancellationToken.None);
        Assert.Equal(["end"], sink.Said);
    }

    [Theory]
    [InlineData(0x1001, 1)]         // no page begins there
    [InlineData(0x2000, 1)]         // said already
    [InlineData(0xffff_ffff_ffff_f000, 2)]
    [Trait("Spec", "MIG-103")]
    public async Task What_cannot_be_lacking_is_the_peers_fault(ulong address, uint pages)
    {
        var fault = await Assert.ThrowsAsync<MigrationException>(() => ReadAsync(new(1, 0x1000, 2), new(1, address, pages)));
        Assert.Equal(MigrationFault.PeerBrokeProtocol, fault.Fault);
    }

    [Fact]
    [Trait("Spec", "MIG-103")]
    public async Task More_runs_than_may_be_named_are_the_peers_fault()
    {
        WantedRecord[] many = [.. Enumerable.Range(0, LackingPages.RunsMax + 1).Select(run => new WantedRecord(1, (ulong)run * 2 * Size, 1))];
        var fault = await Assert.ThrowsAsync<MigrationException>(() => ReadAsync(many));
        Assert.Equal(MigrationFault.PeerBrokeProtocol, fault.Fault);
        await ReadAsync(many[1..]);
    }

    private static async Task<LackingPages> ReadAsync(params WantedRecord[] runs)
    {
        byte[] bytes = new byte[(runs.Length + 1) * WantedRecord.Size];
        for (int run = 0; run < runs.Length; run++)
            runs[run].Write(bytes.AsSpan(run * WantedRecord.Size));
        return await LackingPages.ReadAsync(PipeReader.Create(new MemoryStream(bytes)), CancellationToken.None);
    }

    /// <summary>Each page begins with its number.</summary>
    private static byte[] Pages(byte first, int count)
    {
        byte[] pages = new byte[count * Size];
        for (int page = 0; page < count; page++)
            pages[page * Size] = (byte)(first + page);
        return pages;
    }

    private sealed class RunSink : IPageSink
    {
        public List<string> Said { get; } = [];

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
        {
            Said.Add($"{space.Id}");
            return ValueTask.CompletedTask;
        }

        public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            Assert.Equal((int)run.Pages * Size, pages.Length);
            Said.Add($"{run.Address:x}+{run.Pages}={pages.Span[0]}");
            return ValueTask.CompletedTask;
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken)
        {
            Said.Add("end");
            return ValueTask.CompletedTask;
        }
    }
}
