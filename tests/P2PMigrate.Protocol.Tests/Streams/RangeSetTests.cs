using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Tests.Streams;

public sealed class RangeSetTests
{
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
        Assert.Equal(0, set.IndexOfFirstEndingAfter(0));
        Assert.Equal(0, set.IndexOfFirstEndingAfter(19));
        Assert.Equal(1, set.IndexOfFirstEndingAfter(20));
        Assert.Equal(2, set.IndexOfFirstEndingAfter(40));
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

    private static bool IsTidy(RangeSet set) =>
        Enumerable.Range(0, set.Count).All(i => !set[i].IsEmpty && (i == 0 || set[i - 1].End < set[i].Start));

    private static IEnumerable<ulong> Offsets(RangeSet set) => Enumerable.Range(0, set.Count).SelectMany(i => Offsets(set[i]));

    private static IEnumerable<ulong> Offsets(StreamRange range) =>
        Enumerable.Range((int)range.Start, (int)(range.End - range.Start)).Select(offset => (ulong)offset);
}
