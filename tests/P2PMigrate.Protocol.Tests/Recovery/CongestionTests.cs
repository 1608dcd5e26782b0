using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Tests.Recovery;

public sealed class CongestionTests
{
    private const int Size = 1200;
    private static readonly TimeSpan s_roundTrip = TimeSpan.FromMilliseconds(50);

    // spec: REC-30
    [Fact]
    public void Slow_start_doubles_each_round_trip()
    {
        CubicController cubic = new(Size);
        long before = cubic.Window;
        RunRound(cubic, new(1_000_000_000), s_roundTrip);
        Assert.InRange(cubic.Window, 2 * before - Size, 2 * before);
    }

    // spec: REC-30
    [Fact]
    public void A_loss_takes_three_tenths_and_several_in_one_round_trip_count_once()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        cubic.HandleLost(now, Lost(now - s_roundTrip));
        Assert.Equal(8_400, cubic.Window);
        cubic.HandleLost(now + s_roundTrip / 2, Lost(now - s_roundTrip / 2));
        Assert.Equal(8_400, cubic.Window);
        cubic.HandleLost(now + s_roundTrip * 2, Lost(now + s_roundTrip));
        Assert.Equal(5_880, cubic.Window);
    }

    // spec: REC-30
    [Fact]
    public void The_window_never_shrinks_below_two_datagrams()
    {
        CubicController cubic = new(Size);
        for (int i = 1; i < 100; i++)
            cubic.HandleLost(new(i * 1_000_000_000L), Lost(new(i * 1_000_000_000L - 1)));
        Assert.Equal(2 * Size, cubic.Window);
    }

    // spec: REC-30
    [Fact]
    public void After_a_loss_the_window_returns_along_the_cubic_curve()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        while (cubic.Window < 200 * Size)
            RunRound(cubic, now += s_roundTrip, s_roundTrip);
        double max = cubic.Window;
        cubic.HandleLost(now, Lost(now - s_roundTrip / 2));

        // K = cbrt(0.3 W / 0.4): about 5.3 s for 200 datagrams.
        double seconds = Math.Cbrt(max / Size * 0.3 / 0.4);
        Instant end = now + TimeSpan.FromSeconds(seconds);
        while (now < end)
            RunRound(cubic, now += s_roundTrip, s_roundTrip);
        Assert.InRange(cubic.Window / max, 0.95, 1.1);
    }

    // spec: REC-30
    [Fact]
    public void As_a_Reno_flow_the_window_grows_slowly_until_it_is_what_it_was_before_the_loss()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        TimeSpan roundTrip = TimeSpan.FromMilliseconds(1);
        cubic.HandleLost(now, Lost(now - roundTrip));
        now += roundTrip * 2;
        cubic.HandleLost(now, Lost(now - roundTrip / 2)); // Below the old maximum: fast convergence.
        Assert.Equal(5_880, cubic.Window);
        while (cubic.Window < 8_400 - Size)
            RunRound(cubic, now += roundTrip, roundTrip);
        long before = cubic.Window;
        RunRound(cubic, now += roundTrip, roundTrip);
        Assert.InRange(cubic.Window - before, Size * 4 / 10, Size * 6 / 10);
    }

    // spec: REC-30
    [Fact]
    public void A_window_that_is_not_used_does_not_grow()
    {
        CubicController cubic = new(Size);
        RoundTripEstimator roundTrip = new(s_roundTrip);
        cubic.HandleAcked(new(2), Acked(new(1), wasWindowLimited: false), roundTrip);
        Assert.Equal(10 * Size, cubic.Window);
    }

    // spec: REC-31
    [Fact]
    public void A_rising_round_trip_ends_slow_start_without_a_loss()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        for (int i = 0; i < 4; i++)
            RunRound(cubic, now += s_roundTrip, s_roundTrip);
        long before = cubic.Window;
        for (int i = 0; i < 8; i++)
            RunRound(cubic, now += s_roundTrip, s_roundTrip + TimeSpan.FromMilliseconds(10 + i));
        Assert.InRange(cubic.Window, before, before * 5);
    }

    // spec: REC-31
    [Fact]
    public void A_sample_of_the_round_trip_counts_once()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        for (int i = 0; i < 4; i++)
            RunRound(cubic, now += s_roundTrip, s_roundTrip);
        RoundTripEstimator risen = new(s_roundTrip);
        risen.Add(default, s_roundTrip * 2, TimeSpan.Zero);
        cubic.HandleSent(now += s_roundTrip, cubic.Window, isApplicationLimited: false);
        cubic.HandleAcked(now, Acked(now, wasWindowLimited: true), risen);
        for (int i = 0; i < 20; i++)
            cubic.HandleAcked(now, Acked(now, wasWindowLimited: true) with { IsRoundTripSample = false }, risen);
        long before = cubic.Window;
        cubic.HandleAcked(now, Acked(now, wasWindowLimited: true) with { IsRoundTripSample = false }, risen);
        Assert.Equal(Size, cubic.Window - before);
    }

    // spec: REC-32
    [Fact]
    public void The_pacer_lets_a_short_burst_go_and_then_keeps_the_rate_in_batches()
    {
        Pacer pacer = new(Size);
        Instant now = new(1_000_000_000);
        const double Rate = 1_200_000;
        int burst = 0;
        const int Quantum = 6 * Size;
        for (; pacer.NextRelease(new(Rate, Quantum)) <= now; burst++)
            pacer.HandleSent(now, Size, new(Rate, Quantum));
        Assert.InRange(burst, 10, 12);

        Instant start = now;
        int batches = 0;
        for (int i = 0; i < 1_000; i++)
        {
            batches += pacer.NextRelease(new(Rate, Quantum)) > now ? 1 : 0;
            now = Instant.Max(now, pacer.NextRelease(new(Rate, Quantum)));
            pacer.HandleSent(now, Size, new(Rate, Quantum));
        }

        Assert.InRange((now - start).TotalSeconds, 0.98, 1.02);
        Assert.InRange(batches, 160, 170);
    }

    // spec: REC-32
    [Fact]
    public void A_late_driver_makes_up_for_a_quantum_and_no_more()
    {
        Pacer pacer = new(Size);
        const double Rate = 1_200_000;
        const int Quantum = 6 * Size;
        Instant now = new(1_000_000_000);
        while (pacer.NextRelease(new(Rate, Quantum)) <= now)
            pacer.HandleSent(now, Size, new(Rate, Quantum));
        now += TimeSpan.FromSeconds(1);
        int burst = 0;
        for (; pacer.NextRelease(new(Rate, Quantum)) <= now; burst++)
            pacer.HandleSent(now, Size, new(Rate, Quantum));
        Assert.Equal(12, burst);
    }

    // spec: REC-32
    [Fact]
    public void What_is_urgent_leaves_ahead_of_the_rate_by_a_quantum_and_the_rest_waits_for_both()
    {
        Pacer pacer = new(Size);
        const double Rate = 1_200_000;
        const int Quantum = 6 * Size;
        Instant now = new(1_000_000_000);
        while (pacer.NextRelease(new(Rate, Quantum)) <= now)
            pacer.HandleSent(now, Size, new(Rate, Quantum));
        int ahead = 0;
        for (; pacer.NextRelease(new(Rate, Quantum), isUrgent: true) <= now; ahead++)
            pacer.HandleSent(now, Size, new(Rate, Quantum));
        Assert.Equal(6, ahead);
        Assert.Equal(2 * Quantum / Rate, (pacer.NextRelease(new(Rate, Quantum)) - now).TotalSeconds, 6);
    }

    // spec: REC-32
    [Theory]
    [InlineData(100_000, false, 2 * Size)]
    [InlineData(12_500_000, false, 12_500)]
    [InlineData(1e9, false, 65_536)]
    [InlineData(100_000, true, 16 * Size)]
    [InlineData(1e9, true, 262_144)]
    public void A_quantum_is_a_millisecond_within_bounds_that_are_wider_on_a_local_network(double rate, bool isLocal, int expected) =>
        Assert.Equal(expected, PacingQuantum.For(rate, Size, isLocal));

    // spec: REC-15
    [Fact]
    public void A_loss_that_was_none_is_taken_back()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        cubic.HandleLost(now, Lost(now - s_roundTrip));
        Assert.Equal(8_400, cubic.Window);
        cubic.HandleSpuriousLoss(now);
        Assert.Equal(12_000, cubic.Window);
    }

    // spec: REC-24
    [Fact]
    public void Persistent_congestion_leaves_the_smallest_window_and_slow_start()
    {
        CubicController cubic = new(Size);
        Instant now = new(1_000_000_000);
        cubic.HandleLost(now, Lost(now - s_roundTrip));
        cubic.HandlePersistentCongestion(now, 0);
        Assert.Equal(2 * Size, cubic.Window);
        now += s_roundTrip;
        RunRound(cubic, now, s_roundTrip);
        Assert.Equal(4 * Size, cubic.Window);
    }

    private static LostPacket Lost(Instant sentAt) => new(true, Size, sentAt, default, 0, Size);

    private static AckedPackets Acked(Instant sentAt, bool wasWindowLimited) => new()
    {
        Bytes = Size,
        LastSentAt = sentAt,
        IsRoundTripSample = true,
        WasWindowLimited = wasWindowLimited,
    };

    private static void RunRound(CubicController cubic, Instant now, TimeSpan sample)
    {
        RoundTripEstimator roundTrip = new(s_roundTrip);
        roundTrip.Add(default, sample, TimeSpan.Zero);
        int count = (int)(cubic.Window / Size);
        for (int i = 0; i < count; i++)
            cubic.HandleSent(now, cubic.Window, isApplicationLimited: false);
        for (int i = 0; i < count; i++)
            cubic.HandleAcked(now + sample, Acked(now, wasWindowLimited: true), roundTrip);
    }
}
