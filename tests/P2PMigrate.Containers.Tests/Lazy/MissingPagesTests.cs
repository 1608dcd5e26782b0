using P2PMigrate.Containers.Lazy;

namespace P2PMigrate.Containers.Tests.Lazy;

/// <summary>Which pages are missing, after whatever happens to them.</summary>
[Trait("Spec", "MEM-43")]
public sealed class MissingPagesTests
{
    private const ulong Page = MissingPages.PageSize;

    [Fact]
    public void A_page_in_the_middle_leaves_both_sides()
    {
        MissingPages missing = Ten();
        Assert.Equal(1, missing.Drop(13 * Page, 14 * Page));
        Assert.Equal(9, missing.Count);
        Assert.Null(missing.From(13 * Page));
        Assert.Equal(new Stretch(14 * Page, 20 * Page, 104 * Page), missing.Next(13 * Page));
        Assert.Equal(new Stretch(12 * Page, 13 * Page, 102 * Page), missing.From(12 * Page));
        Assert.Equal(0, missing.Drop(13 * Page, 14 * Page));
    }

    [Fact]
    public void Behind_the_last_page_comes_the_first()
    {
        MissingPages missing = Ten();
        Assert.Equal(10 * Page, missing.Next(20 * Page)!.Value.Start);
        Assert.Equal(10 * Page, missing.Next(0)!.Value.Start);
        missing.Drop(0, ulong.MaxValue);
        Assert.Null(missing.Next(0));
        Assert.Equal(0, missing.Count);
    }

    [Fact]
    public void What_moves_keeps_its_source_and_covers_what_was_there()
    {
        MissingPages missing = Ten();
        missing.Add(1000 * Page, 500 * Page, 4);
        missing.Move(12 * Page, 1002 * Page, 4 * Page);
        Assert.Equal(new Stretch(1002 * Page, 1006 * Page, 102 * Page), missing.From(1002 * Page));
        Assert.Equal(new Stretch(1001 * Page, 1002 * Page, 501 * Page), missing.From(1001 * Page));
        Assert.Null(missing.From(12 * Page));
        Assert.Equal(12, missing.Count);
    }

    [Fact]
    public void A_copy_goes_its_own_way()
    {
        MissingPages missing = Ten(), copy = missing.Copy();
        copy.Drop(0, ulong.MaxValue);
        Assert.Equal((10, 0), (missing.Count, copy.Count));
    }

    /// <summary>The same as a table of pages, whatever is done.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void It_is_what_a_table_of_pages_would_be(int seed)
    {
        var random = new Random(seed);
        var missing = new MissingPages();
        var table = new SortedDictionary<ulong, ulong>();
        for (ulong page = 0; page < 200; page++)
        {
            int length = random.Next(1, 20);
            missing.Add(page * Page, (page + 1000) * Page, length);
            for (int index = 0; index < length; index++) table[(page + (ulong)index) * Page] = (page + 1000 + (ulong)index) * Page;
            page += (ulong)(length + random.Next(3));
        }

        for (int step = 0; step < 300; step++)
        {
            ulong start = (ulong)random.Next(250) * Page, length = (ulong)random.Next(1, 30) * Page;
            if (random.Next(3) == 0)
            {
                ulong to = start + length + ((ulong)random.Next(40) * Page);
                missing.Move(start, to, length);
                Move(table, start, to, length);
            }
            else
            {
                Assert.Equal(Take(table, start, start + length).Count, missing.Drop(start, start + length));
            }

            Assert.Equal(table, Pages(missing));
            Assert.Equal(table.Count, missing.Count);
            ulong at = (ulong)random.Next(300) * Page;
            Assert.Equal(table.Keys.Where(address => address >= at).Concat(table.Keys).Cast<ulong?>().FirstOrDefault(), missing.Next(at)?.Start);
        }
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    private static MissingPages Ten()
    {
        var missing = new MissingPages();
        missing.Add(10 * Page, 100 * Page, 10);
        return missing;
    }

    private static List<KeyValuePair<ulong, ulong>> Take(SortedDictionary<ulong, ulong> table, ulong start, ulong end)
    {
        List<KeyValuePair<ulong, ulong>> taken = [.. table.Where(page => page.Key >= start && page.Key < end)];
        foreach (KeyValuePair<ulong, ulong> page in taken) table.Remove(page.Key);
        return taken;
    }

    private static void Move(SortedDictionary<ulong, ulong> table, ulong from, ulong to, ulong length)
    {
        List<KeyValuePair<ulong, ulong>> moved = Take(table, from, from + length);
        Take(table, to, to + length);
        foreach (KeyValuePair<ulong, ulong> page in moved) table[page.Key - from + to] = page.Value;
    }

    private static Dictionary<ulong, ulong> Pages(MissingPages missing)
    {
        var pages = new Dictionary<ulong, ulong>();
        MissingPages rest = missing.Copy();
        while (rest.Next(0) is { } stretch)
        {
            pages[stretch.Start] = stretch.Source;
            rest.Drop(stretch.Start, stretch.Start + Page);
        }

        return pages;
    }
}
