using System.Diagnostics;
using System.Runtime.InteropServices;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Criu;

/// <summary>Images as a lazy dump leaves them, with this process as the one that keeps its pages.</summary>
public sealed class FrozenPagesTests : IDisposable
{
    private const int Size = PageRun.PageSize;
    private const int Pages = 1500;
    private const int Unreadable = 700;                // in the middle of a batch

    private readonly ScratchDirectory _directory = new();
    private readonly nint _memory = Allocate();
    private readonly ulong _id = (ulong)Environment.ProcessId;

    public FrozenPagesTests()
    {
        for (int page = 0; page < Pages; page++) Marshal.Copy(Enumerable.Repeat((byte)page, Size).ToArray(), 0, _memory + (page * Size), Size);
    }

    private string Notes => Path.Combine(_directory.Path, "notes");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Protect(3);
        Free(_memory);
        _directory.Dispose();
    }

    [Fact]
    [Trait("Spec", "MEM-31")]
    [Trait("Spec", "MEM-32")]
    public async Task The_sink_gets_what_an_ordinary_dump_would_have_sent_it()
    {
        Protect(0);
        var entries = new List<PagemapRecord> { new() { Vaddr = 0x1000, NrPages = 300, Flags = 4 } };
        for (int page = 0; page < 600; page += 2) entries.Add(Lazy(page, 1));
        entries.Add(Lazy(600, Pages - 600));
        entries.Add(new PagemapRecord { Vaddr = 0x7fff_ffff_0000, NrPages = 2, Flags = 4 });
        Write("pagemap-9.img", PagemapImageTests.Image(1, new PagemapRecord { Vaddr = 0x5000, NrPages = 1, Flags = 4 }));
        Write($"pagemap-{_id}.img", PagemapImageTests.Image(2, [.. entries]));
        Write("pages-1.img", new byte[Size]);
        Write("pages-2.img", [.. Enumerable.Range(0, 302 * Size).Select(index => (byte)(index / Size * 3))]);

        var sink = new RecordedPages();
        using var pages = new FrozenPages(_directory.Path, Notes, sink, mayLeave: true, () => [Environment.ProcessId]);
        long count = await pages.RunAsync(Task.FromResult(true), Token);

        Assert.True(sink.IsComplete);
        Assert.Equal(1 + 302 + 300 + Pages - 600, count);
        Assert.Equal([9UL, _id], sink.Spaces.Select(space => space.Id).Order());
        List<(ulong Address, uint Flags, byte First)> got = [.. from run in sink.Runs where run.Space.Id == _id from page in Enumerable.Range(0, (int)run.Run.Pages) select (run.Run.Address + (ulong)(page * Size), run.Run.Flags, run.Content[page * Size])];
        List<(ulong, uint, byte)> expected =
        [
            .. Enumerable.Range(0, 300).Select(page => (0x1000 + (ulong)(page * Size), 4u, (byte)(page * 3))),
            .. Enumerable.Range(0, Pages).Where(page => page >= 600 || page % 2 == 0).Select(page => ((ulong)_memory + (ulong)(page * Size), 6u, (byte)page)),
            .. Enumerable.Range(0, 2).Select(page => (0x7fff_ffff_0000 + (ulong)(page * Size), 4u, (byte)((300 + page) * 3))),
        ];
        Assert.Equal(expected, got);
    }

    /// <summary>What the image has, and what a child must not see, comes with its content.</summary>
    [Fact]
    [Trait("Spec", "MEM-20")]
    [Trait("Spec", "MEM-21")]
    public async Task A_sink_that_takes_it_is_told_what_is_left_for_later()
    {
        Write($"pagemap-{_id}.img", PagemapImageTests.Image(2, new PagemapRecord { Vaddr = 0x1000, NrPages = 1, Flags = 4 }, Lazy(0, 600), Lazy(800, 10)));
        Write("pages-2.img", new byte[Size]);
        using (var image = new FileStream(_directory[$"mm-{_id}.img"], FileMode.Create))
        {
            ImageFile.WriteMagic(image, ImageFile.MemoryMagic);
            var memory = new MappingsEntry();
            memory.Mappings.Add(new MappingEntry { Start = Lazy(100, 1).Vaddr, End = Lazy(102, 1).Vaddr, Advice = 1UL << 18 });
            ImageFile.WriteRecord(image, memory);
        }

        var sink = new RecordedPages { TakesLater = true };
        using var pages = new FrozenPages(_directory.Path, Notes, sink, mayLeave: true, () => [Environment.ProcessId]);
        Assert.Equal(3, await pages.RunAsync(Task.FromResult(true), Token));

        PageRun[] left = [RunOf(0, 100, 2), RunOf(102, 498, 2), RunOf(800, 10, 2)];
        Assert.Equal([new PageRun(0x1000, 1, 4), left[0], RunOf(100, 2, 4), left[1], left[2]], sink.Runs.Select(run => run.Run));
        Assert.Equal([Size, 0, 2 * Size, 0, 0], sink.Runs.Select(run => run.Content.Length));
        Assert.Equal((100, 101), (sink.Runs[2].Content[0], sink.Runs[2].Content[Size]));
        Assert.Equal(left, Assert.Single(PagemapImage.ReadAll(Notes)).Runs);
    }

    [Fact]
    [Trait("Spec", "MEM-31")]
    public async Task A_page_that_cannot_be_read_is_an_error()
    {
        Write($"pagemap-{_id}.img", PagemapImageTests.Image(1, Lazy(0, 1), new PagemapRecord { Vaddr = 0x7fff_ffff_f000, NrPages = 1, Flags = 2 }));
        Assert.Contains("cannot be read", await FailAsync(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MEM-31")]
    public async Task A_process_that_is_not_there_any_more_is_an_error()
    {
        Write("pagemap-4000000.img", PagemapImageTests.Image(1, new PagemapRecord { Vaddr = 0x1000, NrPages = 1, Flags = 2 }));
        Assert.Contains("is gone", await FailAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_with_less_content_than_they_say_are_an_error()
    {
        Write("pagemap-1.img", PagemapImageTests.Image(1, new PagemapRecord { Vaddr = 0x1000, NrPages = 2, Flags = 4 }));
        Write("pages-1.img", new byte[Size + 1]);
        Assert.Contains("fewer", await FailAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_delivered_of_a_dump_that_did_not_come_to_its_end()
    {
        var sink = new RecordedPages();
        using var pages = new FrozenPages(_directory.Path, Notes, sink, mayLeave: true, () => []);
        await Assert.ThrowsAsync<EndOfStreamException>(() => pages.RunAsync(Task.FromResult(false), Token));
        Assert.False(sink.IsComplete);
    }

    [Fact]
    [Trait("Spec", "MEM-30")]
    public void A_program_that_inherits_the_ended_connection_reads_its_end()
    {
        using var connection = new EndedConnection();
        using Process reader = Process.Start(new ProcessStartInfo("python3", ["-c", $"import socket; print(len(socket.socket(fileno={connection.Descriptor}).recv(1)))"]) { RedirectStandardOutput = true })!;
        connection.Dispose();
        Assert.Equal("0", reader.StandardOutput.ReadToEnd().Trim());
        reader.WaitForExit();
        Assert.Equal(0, reader.ExitCode);
    }

    private async Task<string> FailAsync()
    {
        using var pages = new FrozenPages(_directory.Path, Notes, new RecordedPages(), mayLeave: true, () => [Environment.ProcessId]);
        return (await Assert.ThrowsAsync<ContainerException>(() => pages.RunAsync(Task.FromResult(true), Token))).Message;
    }

    private PageRun RunOf(int page, uint count, uint flags) => new(Lazy(page, 1).Vaddr, count, flags);

    private PagemapRecord Lazy(int page, int count) => new() { Vaddr = (ulong)_memory + (ulong)(page * Size), NrPages = (ulong)count, Flags = 2 };

    private void Write(string name, byte[] image) => File.WriteAllBytes(_directory[name], image);

    private void Protect(int rights) => Assert.Equal(0, MProtect(_memory + (Unreadable * Size), 9 * Size, rights));

    private static unsafe nint Allocate() => (nint)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(Pages * Size, Size);

    private static unsafe void Free(nint memory) => System.Runtime.InteropServices.NativeMemory.AlignedFree((void*)memory);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int MProtect(nint address, nint length, int rights);
}
