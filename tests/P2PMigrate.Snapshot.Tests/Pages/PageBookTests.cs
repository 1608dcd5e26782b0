using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Snapshot.Tests.Pages;

/// <summary>Names, numbers, what is kept under them, and what has changed since.</summary>
public sealed class PageBookTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-pages-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    [Trait("Spec", "MEM-01")]
    public void A_name_follows_from_key_and_content_and_from_nothing_else()
    {
        byte[] page = Page(1), other = Page(1);
        other[4095] ^= 1;
        using PageKey key = PageKey.Create();
        using PageKey another = PageKey.Create();
        Assert.True(PageKey.TryImport(key.Export(), out PageKey? same));
        using (same)
            Assert.Equal(key.NameOf(page), same.NameOf(page));
        Assert.NotEqual(key.NameOf(page), key.NameOf(other));
        Assert.NotEqual(key.NameOf(page), another.NameOf(page));
        Assert.True(key.NameOf(new byte[PageRun.PageSize]).IsZeros);
        Assert.False(PageKey.TryImport(new byte[PageKey.Size - 1], out _));
        Assert.False(PageKey.TryImport(new byte[PageKey.Size + 1], out _));
    }

    [Fact]
    [Trait("Spec", "MEM-01")]
    public void A_name_is_the_same_in_every_version_of_the_program()
    {
        Assert.True(PageKey.TryImport(Enumerable.Range(0, PageKey.Size).Select(i => (byte)i).ToArray(), out PageKey? key));
        using (key)
        {
            byte[] page = Enumerable.Range(0, PageRun.PageSize).Select(i => (byte)(i * 7)).ToArray();
            byte[] bytes = new byte[PageName.Size];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(bytes, key.NameOf(page).Value);
            Assert.Equal("f7a6bd519c0848aec3d7168703cca5dc", Convert.ToHexStringLower(bytes));
        }
    }

    [Fact]
    [Trait("Spec", "MEM-02")]
    public void Pages_are_numbered_once_in_order_and_zeros_never()
    {
        using PageKey key = PageKey.Create();
        var book = new PageBook(2);
        Assert.True(book.TryNumber(key.NameOf(Page(1)), out uint first, out bool isNew) && isNew);
        Assert.True(book.TryNumber(key.NameOf(Page(2)), out uint second, out isNew) && isNew);
        Assert.True(book.TryNumber(key.NameOf(Page(1)), out uint again, out isNew) && !isNew);
        Assert.Equal((0u, 1u, 0u), (first, second, again));
        Assert.False(book.TryNumber(key.NameOf(Page(3)), out _, out isNew) || isNew);
        Assert.False(book.TryNumber(default, out _, out _));
        Assert.True(book.IsFull);
        Assert.False(book.TryFind(key.NameOf(Page(3)), out _));
    }

    [Fact]
    [Trait("Spec", "MIG-87")]
    public void A_book_that_is_closed_early_forgets_later_pages_and_numbers_no_more()
    {
        using PageKey key = PageKey.Create();
        var book = new PageBook(100);
        for (int page = 1; page <= 5; page++)
            Assert.True(book.TryNumber(key.NameOf(Page(page)), out _, out _));
        book.CloseAt(2);
        Assert.Equal((2, true), (book.Count, book.IsFull));
        Assert.True(book.TryFind(key.NameOf(Page(2)), out uint number) && number == 1);
        Assert.False(book.TryFind(key.NameOf(Page(3)), out _));
        Assert.False(book.TryNumber(key.NameOf(Page(3)), out _, out bool isNew) || isNew);
    }

    [Fact]
    [Trait("Spec", "MEM-03")]
    public void A_store_gives_back_what_it_keeps_and_leaves_no_name_behind()
    {
        using PageKey key = PageKey.Create();
        using var store = new PageStore(_directory, key);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
        Assert.True(store.TryAppend([.. Page(1), .. Page(2)]));
        Assert.True(store.TryAppend(Page(3)));
        byte[] read = new byte[2 * PageRun.PageSize];
        store.Read(1, read);
        Assert.Equal([.. Page(2), .. Page(3)], read);
        Assert.True(store.Contains(0, 3) && store.Contains(3, 0));
        Assert.False(store.Contains(0, 4) || store.Contains(2, 2) || store.Contains(4, 0) || store.Contains(ulong.MaxValue, 1) || store.Contains(1, uint.MaxValue));
    }

    [Fact]
    public void A_history_tells_changed_pages_from_those_that_stayed_and_forgets_what_is_gone()
    {
        var history = new PageHistory();
        history.BeginPass();
        Assert.True(history.Note(1, 0x1000, 5));
        Assert.False(history.Note(1, 0x2000, null));
        Assert.True(history.Note(2, 0x1000, 5));
        Assert.True(history.Note(1, 0x4000_0000, 6));
        history.EndPass();
        history.BeginPass();
        Assert.False(history.Note(1, 0x1000, 5));
        Assert.True(history.Note(1, 0x2000, 0));
        Assert.True(history.Note(2, 0x1000, null));
        history.EndPass();
        history.BeginPass();
        Assert.True(history.Note(1, 0x4000_0000, 6));
    }

    [Fact]
    [Trait("Spec", "MEM-04")]
    public void A_digest_changes_with_every_record_every_page_and_their_order()
    {
        PageName one = new(1), two = new(2);
        byte[][] digests =
        [
            Digest([1], one, two), Digest([2], one, two), Digest([1], two, one), Digest([1], one), Digest([1]), Digest([1], one, two, default),
        ];
        Assert.Equal(digests.Length, digests.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(Digest([1], one, two), Digest([1], one, two));
        PageName[] many = [.. Enumerable.Range(1, 1000).Select(i => new PageName((UInt128)i))];
        Assert.NotEqual(Digest([1], many), Digest([1], many[..^1]));
    }

    private static byte[] Digest(byte[] record, params PageName[] pages)
    {
        using var digest = new MemoryDigest();
        digest.AddRecord(record);
        foreach (PageName page in pages)
            digest.AddPage(page);
        return digest.Finish();
    }

    private static byte[] Page(int seed)
    {
        byte[] page = new byte[PageRun.PageSize];
        new Random(seed).NextBytes(page);
        return page;
    }
}
