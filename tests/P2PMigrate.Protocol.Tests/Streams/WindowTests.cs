using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Tests.Streams;

/// <summary>How windows grow, and what buffers cost.</summary>
public sealed class WindowTests
{
    private static readonly TimeSpan s_roundTrip = TimeSpan.FromMilliseconds(100);

    private Instant _now = new(1_000_000_000);

    // spec: STR-25
    [Fact]
    public void A_window_doubles_while_it_is_used_up_in_less_than_four_round_trips()
    {
        ReceiveCredit credit = new(window: 1_000, maxWindow: 1_000_000);
        Consume(credit, s_roundTrip); // The first grant only begins to measure.
        Assert.Equal(1_000UL, credit.Window);
        Consume(credit, s_roundTrip);
        Assert.Equal(2_000UL, credit.Window);
        Consume(credit, s_roundTrip * 4.5);
        Assert.Equal(2_000UL, credit.Window);
        Consume(credit, s_roundTrip * 3.5);
        Assert.Equal(4_000UL, credit.Window);
        Assert.Equal(4_000UL, credit.Granted - credit.Received);
    }

    // spec: STR-25
    [Fact]
    public void A_window_stays_at_its_most()
    {
        ReceiveCredit credit = new(window: 1_000, maxWindow: 3_000);
        for (int i = 0; i < 10; i++)
            Consume(credit, s_roundTrip / 10);
        Assert.Equal(3_000UL, credit.Window);
        ReceiveCredit fixedCredit = new(window: 5_000, maxWindow: 3_000);
        for (int i = 0; i < 10; i++)
            Consume(fixedCredit, s_roundTrip / 10);
        Assert.Equal(5_000UL, fixedCredit.Window);
    }

    // spec: STR-25
    [Fact]
    public void The_windows_of_all_classes_grow_within_one_budget()
    {
        WindowBudget budget = new(10_000);
        budget.Take(2_000);
        ReceiveCredit first = new(1_000, 1_000_000, budget), second = new(1_000, 1_000_000, budget);
        for (int i = 0; i < 10; i++)
        {
            Consume(first, s_roundTrip / 10);
            Consume(second, s_roundTrip / 10);
        }

        Assert.Equal(10_000UL, first.Window + second.Window);
    }

    // spec: STR-25
    [Fact]
    public void A_short_round_trip_does_not_keep_a_window_small()
    {
        ReceiveCredit credit = new(window: 1_000, maxWindow: 1_000_000);
        Consume(credit, TimeSpan.Zero, roundTrip: TimeSpan.FromMicroseconds(30));
        Consume(credit, TimeSpan.FromMilliseconds(7), roundTrip: TimeSpan.FromMicroseconds(30));
        Assert.Equal(2_000UL, credit.Window);
    }

    // spec: STR-26
    [Fact]
    public void A_buffer_costs_what_waits_in_it_and_gives_the_rest_back()
    {
        const int Waiting = 64 << 20;
        SlabPool pool = new();
        using ReceiveBuffer buffer = new(pool);
        byte[] piece = new byte[1 << 20];
        for (int offset = 0; offset < Waiting; offset += piece.Length)
            Assert.True(buffer.TryInsert((ulong)offset, piece));
        Assert.Equal(Waiting / SlabPool.SlabSize, pool.InUse + pool.Free);
        while (buffer.Read(piece) > 0)
        {
        }

        Assert.Equal(0, pool.InUse);
        for (int second = 0; second < 3; second++)
            pool.Trim(_now += TimeSpan.FromSeconds(1));
        Assert.Equal(0, pool.Free);
    }

    // spec: STR-26
    [Fact]
    public void A_buffer_with_one_distant_range_holds_two_slabs_not_a_window()
    {
        SlabPool pool = new();
        using ReceiveBuffer buffer = new(pool);
        Assert.True(buffer.TryInsert((64 << 20) - 2, [1, 2]));
        Assert.True(buffer.TryInsert(0, [3]));
        Assert.Equal(2, pool.InUse);
    }

    [Fact]
    public void What_is_needed_again_within_the_second_is_kept()
    {
        SlabPool pool = new();
        byte[][] slabs = [.. Enumerable.Range(0, 10).Select(_ => pool.Rent())];
        Array.ForEach(slabs, pool.Return);
        pool.Trim(_now += TimeSpan.FromSeconds(1));
        Assert.Equal(10, pool.Free);
        pool.Return(pool.Rent());
        pool.Trim(_now += TimeSpan.FromSeconds(1));
        Assert.Equal(1, pool.Free);
    }

    [Fact]
    public void All_streams_together_keep_no_more_than_one_at_its_most_but_each_keeps_a_little()
    {
        const int Max = 8 << 20;
        SendAllowance allowance = new(Max);
        allowance.Follow(congestionWindow: 100 << 20);
        Assert.Equal(Max, allowance.RoomFor(0));
        allowance.Add(Max);
        Assert.Equal(0, allowance.RoomFor(Max));
        Assert.Equal(64 << 10, allowance.RoomFor(0));
        allowance.Follow(congestionWindow: 3 << 20);
        allowance.Add(-Max);
        Assert.Equal(6 << 20, allowance.RoomFor(0));
        allowance.Follow(congestionWindow: 12_000);
        Assert.Equal(1 << 20, allowance.RoomFor(0));
    }

    /// <summary>A whole window arrives and is read within <paramref name="took"/>; then credit is given.</summary>
    private void Consume(ReceiveCredit credit, TimeSpan took, TimeSpan? roundTrip = null)
    {
        ulong window = credit.Window;
        Assert.True(credit.TryReceive(window));
        credit.Consume(window);
        _now += took;
        credit.Grant(_now, roundTrip ?? s_roundTrip);
    }
}
