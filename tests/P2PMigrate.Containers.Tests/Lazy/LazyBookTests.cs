using P2PMigrate.Containers.Lazy;

namespace P2PMigrate.Containers.Tests.Lazy;

/// <summary>
/// Address spaces that fork, move, give up and unmap their memory while pages are given, and processes that give them and are killed: each page is given once, where it belongs, or for a reason never.
/// </summary>
[Trait("Spec", "MEM-43")]
public sealed class LazyBookTests
{
    private const ulong Page = MissingPages.PageSize;
    private const int PagesMax = 400;

    private readonly List<Dictionary<ulong, ulong>> _awaited = [];    // for each space: address and source of what it must still be given
    private readonly List<HashSet<ulong>> _present = [];              // and where pages are by now
    private readonly List<LazyRecord> _records = [];
    private LazyBook _book = new(Initial);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_page_is_given_once_where_it_belongs_or_for_a_reason_never(int seed)
    {
        var random = new Random(seed);
        Start(7);
        Start(8);
        for (int step = 0; step < 400; step++) Step(random);
        while (Enumerable.Range(0, _awaited.Count).Any(Push))
        {
        }

        Assert.All(_awaited, Assert.Empty);
        Assert.Equal(0, _book.Spaces.Sum(space => space.Missing.Count));
    }

    [Fact]
    public void A_space_that_is_gone_lacks_nothing_and_is_not_kept()
    {
        Start(7);
        LazySpace space = _book.Spaces[0];
        Apply(new LazyRecord { Kind = LazyRecordKind.Event, Event = FaultEvent.Fork, Space = 0, Child = 3 });
        Apply(new LazyRecord { Kind = LazyRecordKind.Gone, Space = 0 });
        Assert.Equal((0, true), (space.Missing.Count, space.IsGone));
        Assert.Equal(PagesMax / 2, _book.Unmapped);
        Assert.Equal(1, Assert.Single(_book.Spaces).Number);
        Assert.Contains(7UL, _book.Images);
        Apply(new LazyRecord { Kind = LazyRecordKind.Event, Event = FaultEvent.Fork, Space = 1, Child = 4 }); // by its number, whoever is gone
        Assert.Equal([1, 2], _book.Spaces.Select(other => other.Number));
        Assert.Throws<InvalidDataException>(() => _book.Apply(new LazyRecord { Kind = LazyRecordKind.Gone, Space = 0 }));
    }

    [Fact]
    public void What_nobody_can_have_said_is_refused()
    {
        Start(7);
        Assert.Throws<InvalidDataException>(() => _book.Apply(new LazyRecord { Kind = LazyRecordKind.Event, Space = 1, Event = FaultEvent.Fork }));
        Assert.Throws<InvalidDataException>(() => _book.Apply(new LazyRecord { Kind = LazyRecordKind.Event, Event = (FaultEvent)99 }));
        Assert.Throws<InvalidDataException>(() => _book.Apply(new LazyRecord { Kind = (LazyRecordKind)9 }));
    }

    /// <summary>Every second stretch of ten pages.</summary>
    private static MissingPages Initial(ulong image)
    {
        var missing = new MissingPages();
        for (ulong page = 0; page < PagesMax; page += 20) missing.Add(page * Page, Source(image, page), 10);
        return missing;
    }

    private static ulong Source(ulong image, ulong page) => ((image * 100_000) + page) * Page;

    private void Start(ulong image)
    {
        Apply(new LazyRecord { Kind = LazyRecordKind.Process, Image = image, Descriptor = (int)image });
        var awaited = new Dictionary<ulong, ulong>();
        for (ulong page = 0; page < PagesMax; page++)
        {
            if (page % 20 < 10) awaited[page * Page] = Source(image, page);
        }

        _awaited.Add(awaited);
        _present.Add([]);
    }

    private void Step(Random random)
    {
        int space = random.Next(_awaited.Count);
        ulong start = (ulong)random.Next(PagesMax) * Page, length = (ulong)random.Next(1, 25) * Page;
        switch (random.Next(12))
        {
            case < 4:
                Fault(space, start);
                break;
            case < 8:
                Push(space);
                break;
            case 8 when _awaited.Count < 12:
                Apply(Event(space, FaultEvent.Fork) with { Child = 1000 + _awaited.Count });
                _awaited.Add(new Dictionary<ulong, ulong>(_awaited[space]));
                _present.Add([.. _present[space]]);
                break;
            case 9:
                Apply(Event(space, random.Next(2) == 0 ? FaultEvent.Remove : FaultEvent.Unmap) with { Start = start, Address = start + length });
                Clear(space, start, length);
                break;
            case 10:
                Remap(space, start, start + length + ((ulong)random.Next(30) * Page), length);
                break;
            case 11:
                TakeOver();
                break;
        }
    }

    private void Remap(int space, ulong from, ulong to, ulong length)
    {
        Apply(Event(space, FaultEvent.Remap) with { Start = from, Address = to, Bytes = length });
        Clear(space, to, length);
        for (ulong offset = 0; offset < length; offset += Page)
        {
            if (_awaited[space].Remove(from + offset, out ulong source)) _awaited[space][to + offset] = source;
            if (_present[space].Remove(from + offset)) _present[space].Add(to + offset);
        }
    }

    private void Clear(int space, ulong start, ulong length)
    {
        for (ulong offset = 0; offset < length; offset += Page)
        {
            _awaited[space].Remove(start + offset);
            _present[space].Remove(start + offset);
        }
    }

    /// <summary>Only the records are left: pages that were given are missing again, and will be found to be there.</summary>
    private void TakeOver()
    {
        _book = new LazyBook(Initial);
        foreach (LazyRecord record in _records) _book.Apply(record);
    }

    private void Fault(int space, ulong address)
    {
        Stretch? found = _book.Spaces[space].Missing.From(address);
        if (_present[space].Contains(address)) return;
        Assert.Equal(_awaited[space].TryGetValue(address, out ulong source), found is not null); // else zeros would be given, or a page where zeros belong
        if (found is { } stretch) Give(space, stretch with { End = address + Page });
        else _present[space].Add(address);
        Assert.Equal(found?.Source ?? 0, source);
    }

    private bool Push(int space)
    {
        if (_book.Spaces[space].Missing.Next(_book.Spaces[space].Cursor ?? 0) is not { } stretch) return false;
        Give(space, stretch with { End = Math.Min(stretch.End, stretch.Start + (8 * Page)) });
        return true;
    }

    private void Give(int space, Stretch stretch)
    {
        for (ulong address = stretch.Start; address < stretch.End; address += Page)
        {
            if (!_present[space].Add(address)) continue; // the kernel says that it is there
            Assert.True(_awaited[space].Remove(address, out ulong source), "a page was given where nobody awaits one");
            Assert.Equal(source, stretch.SourceOf(address));
        }

        _book.Spaces[space].Missing.Drop(stretch.Start, stretch.End);
        _book.Spaces[space].Cursor = stretch.End;
    }

    private static LazyRecord Event(int space, FaultEvent what) => new() { Kind = LazyRecordKind.Event, Space = space, Event = what };

    private void Apply(LazyRecord record)
    {
        _records.Add(record);
        _book.Apply(record);
    }
}
