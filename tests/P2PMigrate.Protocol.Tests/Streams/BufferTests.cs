using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Tests.Streams;

/// <summary>The two buffers against each other and against plain arrays, in random order.</summary>
public sealed class BufferTests
{
    // spec: STR-10
    [Fact]
    public void Ranges_in_any_order_and_number_make_the_same_sequence()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            byte[] content = new byte[random.Next(1, 20_000)];
            random.NextBytes(content);
            using ReceiveBuffer buffer = new(new SlabPool());
            List<byte> read = [];
            byte[] target = new byte[3_000];
            while (read.Count < content.Length)
            {
                int start = random.Next(content.Length);
                start = random.Next(3) == 0 ? read.Count : start;
                int length = Math.Min(random.Next(1, 1_500), content.Length - start);
                Assert.True(buffer.TryInsert((ulong)start, content.AsSpan(start, length)), $"seed {seed}");
                if (random.Next(2) == 0)
                    read.AddRange(target[..buffer.Read(target.AsSpan(0, random.Next(target.Length)))]);
            }

            Assert.True(content.AsSpan().SequenceEqual(read.ToArray()), $"seed {seed}");
        }
    }

    // spec: STR-13
    [Fact]
    public void Bytes_that_come_again_and_differ_are_refused()
    {
        using ReceiveBuffer buffer = new(new SlabPool());
        Assert.True(buffer.TryInsert(10, [1, 2, 3, 4]));
        Assert.True(buffer.TryInsert(8, [9, 9, 1, 2]));
        Assert.True(buffer.TryInsert(12, [3, 4, 5]));
        Assert.False(buffer.TryInsert(13, [7, 5]));
    }

    [Fact]
    public void Too_many_holes_are_refused()
    {
        using ReceiveBuffer buffer = new(new SlabPool());
        byte[] piece = new byte[300];
        int ranges = 0;
        for (ulong offset = 1; buffer.TryInsert(offset, piece); offset += 301)
            ranges++;
        Assert.Equal(32_768, ranges);
    }

    // spec: STR-15
    [Fact]
    public void Many_short_ranges_that_keep_others_moving_are_refused_early()
    {
        using ReceiveBuffer buffer = new(new SlabPool());
        Assert.True(buffer.TryInsert(0, new byte[10_000])); // A long one does not pay for them.
        int ranges = 0;
        long moved = 0;
        for (ulong offset = 100_000; buffer.TryInsert(offset, [1]); offset -= 2)
            moved += ranges++; // Each goes before all others.
        Assert.InRange(moved, 1, 3_000_000);
    }

    // spec: STR-15
    [Fact]
    public void Short_ranges_among_long_ones_are_taken()
    {
        using ReceiveBuffer buffer = new(new SlabPool());
        byte[] piece = new byte[1_000];
        ulong offset = 1;
        for (int i = 0; i < 4_000; i++)
        {
            int length = i % 2 == 0 ? piece.Length : 10;
            Assert.True(buffer.TryInsert(offset, piece.AsSpan(0, length)));
            offset += (ulong)length + 1;
        }
    }

    [Fact]
    public void Everything_written_goes_out_until_it_is_acknowledged_whatever_is_lost()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            byte[] content = new byte[random.Next(1, 30_000)];
            random.NextBytes(content);
            Assert.True(content.AsSpan().SequenceEqual(Transfer(random, content)), $"seed {seed}");
        }
    }

    private static byte[] Transfer(Random random, byte[] content)
    {
        SlabPool pool = new();
        using SendBuffer send = new(pool);
        using ReceiveBuffer receive = new(pool);
        List<StreamRange> inFlight = [];
        List<byte> read = [];
        byte[] piece = new byte[1_400];
        while (read.Count < content.Length || !send.IsAcknowledged)
        {
            int written = (int)send.End;
            int more = Math.Min(random.Next(2_000), content.Length - written);
            if (send.Length < 8_000)
                Add(random, send, content.AsMemory(written, more));
            StreamRange range = send.Take(random.Next(1, piece.Length), send.Next + (ulong)random.Next(3_000));
            if (!range.IsEmpty)
                inFlight.Add(range);
            if (inFlight.Count > 0 && random.Next(2) == 0)
                Settle(random, inFlight, send, receive, piece);
            read.AddRange(piece[..receive.Read(piece)]);
        }

        return [.. read];
    }

    private static void Add(Random random, SendBuffer send, Memory<byte> more)
    {
        if (random.Next(2) == 0)
            send.Append(more.Span);
        else
            send.Lend(more);
    }

    private static void Settle(Random random, List<StreamRange> inFlight, SendBuffer send, ReceiveBuffer receive, byte[] piece)
    {
        int index = random.Next(inFlight.Count);
        StreamRange range = inFlight[index];
        inFlight.RemoveAt(index);
        if (random.Next(4) == 0)
        {
            send.HandleLost(range);
            if (random.Next(3) > 0)
                return;
        }

        // A range that was acknowledged through a copy may be gone from the buffer; nothing asks for it then.
        if (range.Start >= send.End - (ulong)send.Length)
        {
            send.CopyTo(range.Start, piece.AsSpan(0, (int)range.Length));
            Assert.True(receive.TryInsert(range.Start, piece.AsSpan(0, (int)range.Length)));
        }

        send.HandleAcked(range);
    }
}
