using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class PageImageWriterTests
{
    [Fact]
    public async Task Spaces_become_the_files_that_restore_looks_for()
    {
        using var directory = new ScratchDirectory();
        await using var writer = new PageImageWriter(directory.Path);
        await writer.OpenAsync(new PageSpace(PageSpaceKind.Process, 1), default);
        await writer.WriteAsync(new PageRun(0x1000, 1, 4), Page('a'), default);
        await writer.WriteAsync(new PageRun(0x2000, 1, 4), Page('b'), default);
        await writer.WriteAsync(new PageRun(0x3000, 9, 2), default, default);
        await writer.WriteAsync(new PageRun(0x10000, 1, 6), Page('c'), default);
        await writer.OpenAsync(new PageSpace(PageSpaceKind.SharedMemory, 77), default);
        await writer.CompleteAsync(default);

        (PagemapHead head, List<PagemapEntry> entries) = Read(directory["pagemap-1.img"]);
        Assert.Equal(0x10001u, head.PagesId);
        Assert.Equal([(0x1000UL, 2u, 4u), (0x3000UL, 9u, 2u), (0x10000UL, 1u, 6u)], entries.Select(entry => (entry.Vaddr, entry.CompatNrPages, entry.Flags)));
        Assert.All(entries, entry => Assert.Equal(entry.CompatNrPages, entry.NrPages));
        byte[] content = await File.ReadAllBytesAsync(directory["pages-65537.img"]);
        Assert.Equal("abc".SelectMany(filler => Page(filler).ToArray()), content);

        (head, entries) = Read(directory["pagemap-shmem-77.img"]);
        Assert.Equal(0x10002u, head.PagesId);
        Assert.Empty(entries);
        Assert.Equal(0, new FileInfo(directory["pages-65538.img"]).Length);
    }

    [Fact]
    public async Task Content_that_does_not_fit_its_run_is_our_fault()
    {
        using var directory = new ScratchDirectory();
        await using var writer = new PageImageWriter(directory.Path);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(new PageRun(0, 1, 4), Page('a'), default));
        await writer.OpenAsync(new PageSpace(PageSpaceKind.Process, 1), default);
        await Assert.ThrowsAsync<ArgumentException>(async () => await writer.WriteAsync(new PageRun(0, 2, 4), Page('a'), default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await writer.WriteAsync(new PageRun(0, 1, 2), Page('a'), default));
    }

    private static ReadOnlyMemory<byte> Page(char filler) => Enumerable.Repeat((byte)filler, PageRun.PageSize).ToArray();

    /// <summary>A pagemap has records of two kinds, so the image reader takes it in two bites.</summary>
    private static (PagemapHead Head, List<PagemapEntry> Entries) Read(string path)
    {
        byte[] image = File.ReadAllBytes(path);
        int headEnd = 12 + BitConverter.ToInt32(image, 8);
        Assert.True(ImageFile.TryParse(image.AsSpan(0, headEnd), ImageFile.PagemapMagic, PagemapHead.Parser, out List<PagemapHead>? heads));
        Assert.True(ImageFile.TryParse((byte[])[.. image[..8], .. image[headEnd..]], ImageFile.PagemapMagic, PagemapEntry.Parser, out List<PagemapEntry>? entries));
        return (heads.Single(), entries);
    }
}
