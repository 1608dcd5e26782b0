using System.Runtime.InteropServices;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Lazy;
using P2PMigrate.Containers.Tests.Inside;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Containers.Tests.Criu;

/// <summary>Images that refer to kept pages, read by a reader of its own that goes forward as CRIU does.</summary>
[Trait("Spec", "MEM-60")]
public sealed class ParentImagesTests : IDisposable
{
    private static readonly PageSpace s_process = new(PageSpaceKind.Process, 1), s_other = new(PageSpaceKind.Process, 7), s_shared = new(PageSpaceKind.SharedMemory, 9);

    private readonly ScratchDirectory _directory = new();
    private readonly PageKey _key = PageKey.Create();
    private readonly PageStore _store;

    public ParentImagesTests() => _store = new PageStore(_directory.Path, _key);

    private string Images => Directory.CreateDirectory(_directory["images"]).FullName;

    public void Dispose()
    {
        _store.Dispose();
        _key.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Kept_pages_of_two_rounds_are_found_and_none_is_copied()
    {
        Keep(20);
        await WriteAsync(new Piece(s_process, 0x10000, 0, 4), new Piece(s_process, 0x14000, 15, 1), new Piece(s_process, 0x15000, 5, 3), new Piece(s_process, 0x40000, 16, 2), new Piece(s_process, 0x42000, 10, 5));
        Assert.Equal(0, CopiedBytes());
        Assert.Equal(2, Directory.EnumerateDirectories(Images, "kept-*").Count());
    }

    [Fact]
    public async Task A_second_process_refers_to_the_same_file()
    {
        Keep(1000);
        await WriteAsync(new Piece(s_process, 0x400000, 0, 500), new Piece(s_other, 0x400000, 500, 400), new Piece(s_other, 0x7000_0000_0000, 0, 20));
        Assert.Equal(0, CopiedBytes());
    }

    [Fact]
    public async Task The_first_pages_are_copied_where_there_is_no_room_below_them()
    {
        Keep(1000);
        await WriteAsync(new Piece(s_shared, 0, 600, 300));
        Assert.Equal(10 * PageRun.PageSize, CopiedBytes());
    }

    [Fact]
    [Trait("Spec", "MEM-61")]
    public async Task What_would_need_too_many_directories_is_copied()
    {
        Keep(100);
        await WriteAsync([.. Enumerable.Range(0, 60).Select(page => new Piece(s_process, 0x100000 + ((ulong)page * PageRun.PageSize), 99 - page, 1))]);
        Assert.Equal(ParentImages.LevelsMax, Directory.EnumerateDirectories(Images, "kept-*").Count());
        Assert.Equal((60 - ParentImages.LevelsMax) * PageRun.PageSize, CopiedBytes());
    }

    [Fact]
    public async Task Any_mixture_of_fresh_and_kept_pages_is_found_again()
    {
        Keep(600);
        for (int seed = 0; seed < 100; seed++)
        {
            if (Directory.Exists(Images)) Directory.Delete(Images, recursive: true);
            var random = new Random(seed);
            var pieces = new List<Piece>();
            foreach (PageSpace space in new[] { s_process, s_other, s_shared })
            {
                ulong address = (ulong)random.Next(0, 3) * 0x1000 * (ulong)random.Next(1, 1000);
                int rising = 0;
                for (int count = random.Next(0, 60); count > 0; count--)
                {
                    int pages = random.Next(1, 40);
                    bool isRising = random.Next(4) > 0;
                    int number = isRising ? Math.Min(rising + random.Next(0, 30), 550) : random.Next(0, 550);
                    pieces.Add(new Piece(space, address, random.Next(5) == 0 ? -1 : number, pages));
                    if (isRising) rising = number + pages;
                    address += ((ulong)pages + (random.Next(2) == 0 ? 0ul : (ulong)random.Next(1, 5000))) * PageRun.PageSize;
                }
            }

            await WriteAsync([.. pieces]);
        }
    }

    [Fact]
    public async Task The_images_keep_what_they_refer_to_when_the_store_is_gone_and_a_store_that_nothing_refers_to_leaves_nothing()
    {
        Keep(10);
        await WriteAsync(new Piece(s_process, 0x10000, 0, 10));
        _store.Dispose();
        Assert.Equal(Content(3), (await File.ReadAllBytesAsync(Path.Combine(Images, "kept-1", "pages-1.img")))[(3 * PageRun.PageSize)..(4 * PageRun.PageSize)]);
        new PageStore(_directory.Path, _key).Dispose();
        Assert.Equal([Images], Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    private static byte[] Content(int seed)
    {
        byte[] page = new byte[PageRun.PageSize];
        new Random(seed).NextBytes(page);
        return page;
    }

    private void Keep(int pages)
    {
        for (int page = 0; page < pages; page++) Assert.True(_store.TryAppend(Content(page)));
    }

    private long CopiedBytes() => Directory.EnumerateFiles(Images, "pages-*.img").Sum(path => new FileInfo(path).Length);

    private async Task WriteAsync(params Piece[] pieces)
    {
        await using var writer = new PageImageWriter(Images);
        IPageSink sink = writer;
        var expected = new Dictionary<(string, ulong), byte[]>();
        PageSpace? open = null;
        int fresh = -1;
        foreach (Piece piece in pieces)
        {
            if (open != piece.Space) await sink.OpenAsync(piece.Space, default);
            open = piece.Space;
            var run = new PageRun(piece.Address, (uint)piece.Pages, 6);
            byte[][] content = [.. Enumerable.Range(0, piece.Pages).Select(page => Content(piece.Number < 0 ? fresh-- : piece.Number + page))];
            if (piece.Number < 0) await sink.WriteAsync(run, content.SelectMany(page => page).ToArray(), default);
            else await sink.WriteKeptAsync(run, _store, (ulong)piece.Number, default);
            string name = piece.Space.Kind == PageSpaceKind.SharedMemory ? $"pagemap-shmem-{piece.Space.Id}.img" : $"pagemap-{piece.Space.Id}.img";
            for (int page = 0; page < piece.Pages; page++) expected.Add((name, piece.Address + ((ulong)page * PageRun.PageSize)), content[page]);
        }

        await sink.CompleteAsync(default);
        var memory = new DumpedMemory(Images);
        Assert.Equal(expected.Count, memory.Count);
        foreach (((string pagemap, ulong address), byte[] content) in expected)
            Assert.True(memory.Page((pagemap, address)).SequenceEqual(content), $"{pagemap} {address:x}");
        AssertCanBeLate(expected);
    }

    /// <summary>Who gives pages to a container that runs already finds them too.</summary>
    private void AssertCanBeLate(Dictionary<(string Pagemap, ulong Address), byte[]> expected)
    {
        using var source = new ImagePages(Images);
        byte[] page = new byte[PageRun.PageSize];
        foreach (ulong process in PagemapChain.ProcessesIn(Images))
        {
            var own = expected.Where(entry => entry.Key.Pagemap == $"pagemap-{process}.img").ToList();
            Assert.Equal(own.Count, source.MissingOf(process).Count);
            Assert.Equal(own.Count, PagemapChain.LazyPagesOf(Images, process));
            foreach (((_, ulong address), byte[] content) in own)
            {
                (nint place, int count) = source.Find(process, address, 1); // all of them are there
                Assert.Equal(1, count);
                Marshal.Copy(place, page, 0, page.Length);
                Assert.True(page.AsSpan().SequenceEqual(content), $"{process} {address:x}");
            }
        }
    }

    /// <summary>Pages that lie at an address, kept ones from a number on, or fresh ones (-1).</summary>
    private sealed record Piece(PageSpace Space, ulong Address, int Number, int Pages);
}
