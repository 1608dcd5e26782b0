using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Recovery;

public sealed class FreshRangesTests
{
    private readonly FreshRanges _fresh = new();

    [Fact]
    public void Frames_that_take_turns_are_looked_at_once()
    {
        ulong looked = 0;
        for (int i = 0; i < 100; i++)
        {
            looked += Take(new PacketRange(0, 60_000));
            looked += Take(new PacketRange(60_010, 60_010));
            looked += Take(new PacketRange(60_005, 60_005), new PacketRange(10, 20));
        }

        Assert.Equal(60_003UL, looked);
    }

    [Fact]
    public void Every_number_is_fresh_once_in_any_order_of_frames()
    {
        Random random = new(1);
        HashSet<ulong> model = [];
        for (int i = 0; i < 2_000; i++)
        {
            PacketNumberSet set = new();
            for (int j = random.Next(1, 8); j > 0; j--)
                set.Add((ulong)random.Next(60));
            int before = model.Count;
            foreach (PacketRange range in set.Ranges)
            {
                for (ulong number = range.First; number <= range.Last; number++)
                    model.Add(number);
            }

            Assert.Equal((ulong)(model.Count - before), Take(set.Ranges.ToArray()));
        }
    }

    private ulong Take(params PacketRange[] ranges)
    {
        byte[] buffer = new byte[1000];
        WireWriter writer = new(buffer);
        Assert.True(AckFrame.TryWrite(ref writer, 1, TimeSpan.Zero, ranges));
        WireReader reader = new(buffer.AsSpan(1, writer.Written - 1));
        Assert.True(AckFrame.TryParse(ref reader, out AckFrame frame));
        _fresh.Take(frame);
        ulong count = 0;
        foreach (PacketRange range in _fresh.Ranges)
            count += range.Last - range.First + 1;
        return count;
    }
}
