using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Tests.Streams;

public sealed class RangeSetTests
{
    private const ulong ShortestLong = RangeSet.ShortLength;

    [Fact]
    public void Random_operations_agree_with_a_plain_set()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            Random random = new(seed);
            RangeSet set = new();
            HashSet<ulong> model = [];
            for (int i = 0; i < 60; i++)
            {
                ulong start = (ulong)random.Next(100);
                StreamRange range = new(start, start + (ulong)random.Next(12));
                if (random.Next(3) > 0)
                {
                    set.Add(range);
                    model.UnionWith(Offsets(range));
                }
                else
                {
                    set.Remove(range);
                    model.ExceptWith(Offsets(range));
                }

                Assert.True(model.Order().SequenceEqual(Offsets(set)), $"seed {seed}, step {i}");
                Assert.Equal(set.Count, set.ShortCount);
                Assert.True(IsTidy(set), $"seed {seed}, step {i}: ranges touch, overlap or are empty");
            }
        }
    }

    [Fact]
    public void Short_ranges_are_counted_until_they_have_grown()
    {
        RangeSet set = new();
        for (ulong i = 0; i < 4; i++)
            set.Add(new(i * 1_000, i * 1_000 + RangeSet.ShortLength - i % 2));
        Assert.Equal(2, set.ShortCount);
        set.Add(new(1_000 + RangeSet.ShortLength - 1, 1_000 + RangeSet.ShortLength));
        Assert.Equal(1, set.ShortCount);
        set.Remove(new(100, 102));
        Assert.Equal(3, set.ShortCount);
        set.Clear();
        Assert.Equal(0, set.ShortCount);
    }

    [Fact]
    public void The_first_range_that_ends_after_an_offset_is_found()
    {
        RangeSet set = new();
        set.Add(new(10, 20));
        set.Add(new(30, 40));
        Assert.Equal(new StreamRange(10, 20), Find(0));
        Assert.Equal(new StreamRange(10, 20), Find(19));
        Assert.Equal(new StreamRange(30, 40), Find(20));
        Assert.Null(Find(40));

        StreamRange? Find(ulong offset) => set.TryFindEndingAfter(offset, out StreamRange range) ? range : null;
    }

    [Fact]
    public void Thousands_of_ranges_agree_with_a_plain_set()
    {
        for (int seed = 0; seed < 10; seed++)
        {
            Random random = new(seed);
            const int Length = 12_000;
            RangeSet set = new();
            bool[] model = new bool[Length];
            for (int i = 0; i < 12_000; i++)
            {
                int start = random.Next(Length), end = Math.Min(Length, start + (random.Next(100) == 0 ? random.Next(2_000) : random.Next(3)));
                bool isAdded = random.Next(i < 9_000 ? 6 : 2) > 0;
                StreamRange range = new((ulong)start, (ulong)end);
                if (isAdded)
                    set.Add(range);
                else
                    set.Remove(range);
                model.AsSpan(start, end - start).Fill(isAdded);
                if (i % 500 != 0)
                    continue;
                Assert.True(IsTidy(set), $"seed {seed}, step {i}: ranges touch, overlap, are empty or miscounted");
                Assert.True(Enumerable.Range(0, Length).Where(offset => model[offset]).Select(offset => (ulong)offset).SequenceEqual(Offsets(set)), $"seed {seed}, step {i}");
            }

            set.Remove(new(0, Length));
            Assert.True(set.IsEmpty && set.ShortCount == 0);
        }
    }

    [Fact]
    public void Ranges_that_each_go_before_all_others_cost_little_however_many_there_are()
    {
        RangeSet set = new();
        for (ulong i = 32_768; i > 0; i--)
            set.Add(new(i * 1_000, i * 1_000 + ShortestLong));
        Assert.Equal((32_768, 0), (set.Count, set.ShortCount));
        for (ulong i = 32_768; i > 1; i--) // Filling the gaps joins them again.
            set.Add(new((i - 1) * 1_000, i * 1_000));
        Assert.Equal(1, set.Count);
        Assert.Equal(new StreamRange(1_000, 32_768 * 1_000 + ShortestLong), set.First);
    }

    [Fact]
    public void Adding_at_the_end_and_removing_at_the_front_goes_on_for_ever_in_a_small_array()
    {
        RangeSet set = new();
        for (ulong i = 0; i < 100_000; i++)
        {
            set.Add(new(i * 10, i * 10 + 5));
            if (i >= 3)
                set.Remove(set.First);
        }

        Assert.Equal(3, set.Count);
    }

    private static bool IsTidy(RangeSet set)
    {
        StreamRange[] all = [.. Ranges(set)];
        return all.Length == set.Count && all.Count(range => range.Length < RangeSet.ShortLength) == set.ShortCount
            && Enumerable.Range(0, all.Length).All(i => !all[i].IsEmpty && (i == 0 || all[i - 1].End < all[i].Start));
    }

    private static IEnumerable<ulong> Offsets(RangeSet set) => Ranges(set).SelectMany(Offsets);

    private static IEnumerable<StreamRange> Ranges(RangeSet set)
    {
        for (ulong from = 0; set.TryFindEndingAfter(from, out StreamRange range); from = range.End)
            yield return range;
    }

    private static IEnumerable<ulong> Offsets(StreamRange range) =>
        Enumerable.Range((int)range.Start, (int)(range.End - range.Start)).Select(offset => (ulong)offset);
}
