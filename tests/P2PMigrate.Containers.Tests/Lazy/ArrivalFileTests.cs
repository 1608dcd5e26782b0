using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Tests.Criu;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Lazy;

/// <summary>Images of a process of which some pages are there, some are in a file, and two runs of three and two pages are awaited.</summary>
public sealed class ArrivalFileTests : IDisposable
{
    private const ulong Process = 7;
    private const int Size = PageRun.PageSize;

    private readonly ScratchDirectory _directory = new();

    public ArrivalFileTests()
    {
        File.WriteAllBytes(_directory["pagemap-7.img"], PagemapImageTests.Image(1, Run(0x1000, 2, 6), Run(0x10000, 3, 2), Run(0x20000, 1, 4), Run(0x30000, 2, 2)));
        File.WriteAllBytes(_directory["pages-1.img"], [.. Pages(0xa0, 3)]);
        Prepare();
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    [Trait("Spec", "MEM-22")]
    public void A_page_can_be_given_when_it_has_arrived()
    {
        using var source = new ImagePages(_directory.Path);
        Assert.Equal(7, source.MissingOf(Process).Count);
        Assert.True(source.Find(Process, 0x1000, 16).AreThere);
        Assert.Equal(new FoundPages(0, 3), source.Find(Process, 0x10000, 16));
        using ArrivalFile file = ArrivalFile.Open(_directory.Path, Process);
        Assert.Equal(5, file.CountLacking());
        file.Write(0x11000, Pages(1, 1));
        Assert.Equal(new FoundPages(0, 1), source.Find(Process, 0x10000, 16));
        Assert.Equal((1, 1), (source.Find(Process, 0x11000, 16).Pages, FirstOf(source.Find(Process, 0x11000, 16))));
        Assert.Equal(new FoundPages(0, 1), source.Find(Process, 0x12000, 16));
        file.Write(0x30000, Pages(8, 2));
        Assert.Equal((2, 8), (source.Find(Process, 0x30000, 16).Pages, FirstOf(source.Find(Process, 0x30000, 16))));
        Assert.Equal(9, FirstOf(source.Find(Process, 0x31000, 1)));
        Assert.Equal(2, file.CountLacking());
    }

    [Fact]
    [Trait("Spec", "MIG-103")]
    public void What_has_not_arrived_is_found_run_by_run()
    {
        using ArrivalFile file = ArrivalFile.Open(_directory.Path, Process);
        Assert.Equal([new LackingRun(Process, 0x10000, 3), new LackingRun(Process, 0x30000, 2)], file.FindLacking());
        file.Write(0x11000, Pages(1, 1));
        file.Write(0x30000, Pages(5, 1));
        Assert.Equal([new LackingRun(Process, 0x10000, 1), new LackingRun(Process, 0x12000, 1), new LackingRun(Process, 0x31000, 1)], file.FindLacking());
        Assert.Equal([new LackingRun(Process, 0x10000, 0x22)], file.FindExtent());
    }

    [Fact]
    [Trait("Spec", "MEM-22")]
    public void What_has_arrived_is_not_written_again_and_is_there_for_who_comes_later()
    {
        using (ArrivalFile file = ArrivalFile.Open(_directory.Path, Process)) file.Write(0x11000, Pages(1, 1));
        Prepare();
        using (ArrivalFile again = ArrivalFile.Open(_directory.Path, Process)) again.Write(0x10000, Pages(5, 3));
        using var source = new ImagePages(_directory.Path);
        Assert.Equal([5, 1, 7], new[] { 0x10000UL, 0x11000UL, 0x12000UL }.Select(address => FirstOf(source.Find(Process, address, 1))));
    }

    [Theory]
    [InlineData(0x1000)] // there already
    [InlineData(0x12000)] // the second page of the two is behind the run
    [InlineData(0x20000)]
    [InlineData(0x10010)]
    [InlineData(0x40000)]
    [Trait("Spec", "MEM-22")]
    public void A_page_for_which_nobody_waits_is_refused(ulong address)
    {
        using ArrivalFile file = ArrivalFile.Open(_directory.Path, Process);
        Assert.Throws<SnapshotException>(() => file.Write(address, Pages(1, 2)));
        Assert.InRange(file.CountLacking(), 4, 5);
    }

    [Theory]
    [InlineData(0x10000, 0x10000)] // the same twice
    [InlineData(0x10000, 0x11000)]
    [InlineData(0x20000, 0x10000)]
    [InlineData(0x10000, 0xfffffffffffff000)]
    [Trait("Spec", "MEM-22")]
    public void Images_whose_runs_do_not_rise_are_refused(ulong first, ulong second)
    {
        File.WriteAllBytes(_directory["pagemap-7.img"], PagemapImageTests.Image(1, Run(first, 2, 2), Run(second, 2, 2)));
        Assert.Contains("does not make sense", Assert.Throws<ContainerException>(() => ArrivalFile.AwaitedIn(_directory.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MEM-22")]
    public void Memory_for_which_there_is_no_room_is_refused_before_anything_is_restored()
    {
        File.WriteAllBytes(_directory["pagemap-7.img"], PagemapImageTests.Image(1, Run(0x10000, uint.MaxValue, 2), Run(0x10000 + ((ulong)uint.MaxValue * Size), uint.MaxValue, 2)));
        Assert.Contains("no room", Assert.Throws<ContainerException>(Prepare).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MEM-24")]
    [Trait("Spec", "MEM-45")]
    public void Memory_that_a_child_must_not_see_cannot_be_awaited()
    {
        using (var image = new FileStream(_directory["mm-7.img"], FileMode.Create))
        {
            ImageFile.WriteMagic(image, ImageFile.MemoryMagic);
            var memory = new Containers.Criu.Messages.MappingsEntry();
            memory.Mappings.Add(new Containers.Criu.Messages.MappingEntry { Start = 0x11000, End = 0x12000, Advice = 1UL << 18 });
            ImageFile.WriteRecord(image, memory);
        }

        Assert.Contains("must not come late", Assert.Throws<ContainerException>(() => WipedOnFork.RestoreFirst(_directory.Path)).Message, StringComparison.Ordinal);
    }

    private void Prepare() => ArrivalFile.Prepare(_directory.Path, ArrivalFile.AwaitedIn(_directory.Path));

    private static Containers.Criu.Messages.PagemapRecord Run(ulong address, ulong pages, uint flags) => new() { Vaddr = address, NrPages = pages, Flags = flags };

    /// <summary>Pages of which each has its own number everywhere.</summary>
    private static byte[] Pages(int first, int count) => [.. Enumerable.Range(0, count * Size).Select(index => (byte)(first + (index / Size)))];

    private static unsafe int FirstOf(FoundPages found) => *(byte*)found.Content;
}
