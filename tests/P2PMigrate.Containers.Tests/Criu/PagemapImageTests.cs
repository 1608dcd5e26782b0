using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class PagemapImageTests
{
    [Fact]
    public void Runs_come_with_their_flags_and_the_wider_of_their_counts()
    {
        byte[] image = Image(7, new() { Vaddr = 0x1000, NrPages = 2, Flags = 2 }, new() { Vaddr = 0x3000, CompatNrPages = 1, Flags = 4 }, new() { Vaddr = 0x9000, CompatNrPages = 3, NrPages = 5, Flags = 6 });
        Assert.True(PagemapImage.TryParse(image, out ulong pagesId, out List<PageRun> runs));
        Assert.Equal(7UL, pagesId);
        Assert.Equal([new PageRun(0x1000, 2, 2), new PageRun(0x3000, 1, 4), new PageRun(0x9000, 5, 6)], runs);
    }

    [Theory]
    [InlineData(0x1001UL, 1UL, 2u)]
    [InlineData(0x2000UL, 0UL, 2u)]
    [InlineData(0x0UL, 1UL, 2u)]                        // overlaps the one before
    [InlineData(0x2000UL, 1UL << 40, 2u)]
    [InlineData(0xFFFF_FFFF_FFFF_F000UL, 2UL, 2u)]
    [InlineData(0x2000UL, 1UL, 0u)]
    [InlineData(0x2000UL, 1UL, 1u)]                     // in an earlier dump, of which there is none
    [InlineData(0x2000UL, 1UL, 8u)]
    public void Entries_that_cannot_be_are_refused(ulong address, ulong pages, uint flags) => Assert.False(PagemapImage.TryParse(
        Image(1, new() { Vaddr = 0x1000, NrPages = 1, Flags = 2 }, new() { Vaddr = address, NrPages = pages, Flags = flags }), out _, out _));

    [Fact]
    public void An_image_that_is_cut_short_anywhere_is_refused_or_has_fewer_entries()
    {
        byte[] image = Image(1, new() { Vaddr = 0x1000, NrPages = 2, Flags = 2 }, new() { Vaddr = 0x9000, NrPages = 3, Flags = 2 });
        for (int length = 0; length < image.Length; length++)
            Assert.True(!PagemapImage.TryParse(image.AsSpan(0, length), out _, out List<PageRun> runs) || runs.Count < 2);
    }

    [Fact]
    public void Shared_memory_is_told_from_processes_and_is_never_left_out()
    {
        using var directory = new ScratchDirectory();
        File.WriteAllBytes(directory["pagemap-shmem-3.img"], Image(9, new PagemapRecord { Vaddr = 0, NrPages = 1, Flags = 4 }));
        File.WriteAllBytes(directory["pagemap-20.img"], Image(2));
        File.WriteAllBytes(directory["pagemap-3.img"], Image(1));
        Assert.Equal(
            [(new PageSpace(PageSpaceKind.Process, 3), directory["pages-1.img"]), (new PageSpace(PageSpaceKind.Process, 20), directory["pages-2.img"]), (new PageSpace(PageSpaceKind.SharedMemory, 3), directory["pages-9.img"])],
            PagemapImage.ReadAll(directory.Path).Select(image => (image.Space, image.PagesPath)));

        File.WriteAllBytes(directory["pagemap-shmem-3.img"], Image(9, new PagemapRecord { Vaddr = 0, NrPages = 1, Flags = 2 }));
        Assert.Contains("pagemap-shmem-3.img", Assert.Throws<ContainerException>(() => PagemapImage.ReadAll(directory.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pagemap-1.img", true)]
    [InlineData("pagemap-shmem-1.img", true)]
    [InlineData("pages-1.img", true)]
    [InlineData("pstree.img", false)]
    [InlineData("mm-1.img", false)]
    public void Images_of_memory_are_known_by_their_names(string name, bool isMemory) => Assert.Equal(isMemory, PagemapImage.IsMemory($"/pages-1.img/{name}"));

    internal static byte[] Image(uint pagesId, params PagemapRecord[] entries)
    {
        using var image = new MemoryStream();
        ImageFile.WriteMagic(image, ImageFile.PagemapMagic);
        ImageFile.WriteRecord(image, new PagemapHead { PagesId = pagesId });
        foreach (PagemapRecord entry in entries) ImageFile.WriteRecord(image, entry);
        return image.ToArray();
    }
}
