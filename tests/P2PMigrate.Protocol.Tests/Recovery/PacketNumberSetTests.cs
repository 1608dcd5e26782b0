using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Recovery;

public sealed class PacketNumberSetTests
{
    [Theory]
    [InlineData(new ulong[] { 10, 9 }, "9-10")]
    [InlineData(new ulong[] { 9, 10 }, "9-10")]
    [InlineData(new ulong[] { 8, 10, 9 }, "8-10")]
    [InlineData(new ulong[] { 1, 5, 3 }, "5-5 3-3 1-1")]
    [InlineData(new ulong[] { 5, 5, 4, 4 }, "4-5")]
    [InlineData(new ulong[] { 0, 2, 1, 3 }, "0-3")]
    public void Numbers_in_any_order_make_ranges(ulong[] numbers, string expected)
    {
        PacketNumberSet set = new();
        foreach (ulong number in numbers)
            set.Add(number);
        Assert.Equal(expected, Text(set));
    }

    [Fact]
    public void Random_order_agrees_with_a_plain_set_until_there_are_too_many_ranges()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            PacketNumberSet set = new();
            SortedSet<ulong> model = [];
            for (int i = 0; i < 60; i++)
            {
                ulong number = (ulong)random.Next(60);
                set.Add(number);
                model.Add(number);
                Assert.True(set.Ranges.Length >= AckFrame.MaxRanges || model.SequenceEqual(Numbers(set).Order()), $"seed {seed}");
            }
        }
    }

    // spec: REC-14
    [Theory]
    [InlineData(2, "5-9 3-3")]
    [InlineData(6, "7-9")]
    [InlineData(9, "")]
    public void What_the_peer_knows_is_forgotten(ulong upTo, string expected)
    {
        PacketNumberSet set = new();
        foreach (ulong number in new ulong[] { 0, 1, 3, 5, 6, 7, 8, 9 })
            set.Add(number);
        set.RemoveUpTo(upTo);
        Assert.Equal(expected, Text(set));
    }

    [Fact]
    public void The_smallest_ranges_are_forgotten_first()
    {
        PacketNumberSet set = new();
        for (ulong number = 0; number < 100; number++)
            set.Add(number * 2);
        Assert.Equal(AckFrame.MaxRanges, set.Ranges.Length);
        Assert.Equal(198UL, set.Ranges[0].Last);
        set.Add(0);
        Assert.Equal(136UL, set.Ranges[^1].First);
    }

    private static IEnumerable<ulong> Numbers(PacketNumberSet set) =>
        set.Ranges.ToArray().SelectMany(range => Enumerable.Range((int)range.First, (int)(range.Last - range.First + 1)).Select(number => (ulong)number));

    private static string Text(PacketNumberSet set) => string.Join(' ', set.Ranges.ToArray().Select(range => $"{range.First}-{range.Last}"));
}
