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
        cubic.HandleLost(now, now - s_roundTrip, Size);
        Assert.Equal(8_400, cubic.Window);
        cubic.HandleLost(now + s_roundTrip / 2, now - s_roundTrip / 2, Size);
        Assert.Equal(8_400, cubic.Window);
        cubic.HandleLost(now + s_roundTrip * 2, now + s_roundTrip, Size);
        Assert.Equal(5_880, cubic.Window);
    }

    // spec: REC-30
    [Fact]
    public void The_window_never_shrinks_below_two_datagrams()
    {
        CubicController cubic = new(Size);
        for (int i = 1; i < 100; i++)
            cubic.HandleLost(new(i * 1_000_000_000L), new(i * 1_000_000_000L - 1), Size);
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
        cubic.HandleLost(now, now - s_roundTrip / 2, Size);

        // K = cbrt(0.3 W / 0.4): about 5.3 s for 200 datagrams.
        double seconds = Math.Cbrt(max / Size * 0.3 / 0.4);
        Instant end = now + TimeSpan.FromSeconds(seconds);
        while (now < end)
            RunRound(cubic, now += s_roundTrip, s_roundTrip);
        Assert.InRange(cubic.Window / max, 0.95, 1.1);
    }

    // spec: REC-30
    [Fact]
    public void A_window_that_is_not_used_does_not_grow()
    {
        CubicController cubic = new(Size);
        RoundTripEstimator roundTrip = new(s_roundTrip);
        cubic.HandleAcked(new(2), new(Size, 1, new(1), WasWindowLimited: false), roundTrip);
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

    // spec: REC-32
    [Fact]
    public void The_pacer_lets_a_short_burst_go_and_then_keeps_the_rate()
    {
        Pacer pacer = new(Size);
        Instant now = new(1_000_000_000);
        const double Rate = 1_200_000;
        int burst = 0;
        for (; pacer.NextRelease <= now; burst++)
            pacer.HandleSent(now, Size, Rate);
        Assert.InRange(burst, 8, 12);

        Instant start = now;
        for (int i = 0; i < 1_000; i++)
        {
            now = Instant.Max(now, pacer.NextRelease);
            pacer.HandleSent(now, Size, Rate);
        }

        Assert.InRange((now - start).TotalSeconds, 0.98, 1.02);
    }

    private static ulong s_number;

    private static void RunRound(CubicController cubic, Instant now, TimeSpan sample)
    {
        RoundTripEstimator roundTrip = new(s_roundTrip);
        roundTrip.Add(sample, TimeSpan.Zero);
        int count = (int)(cubic.Window / Size);
        ulong first = s_number + 1;
        for (int i = 0; i < count; i++)
            cubic.HandleSent(now, ++s_number, Size, cubic.Window);
        for (int i = 0; i < count; i++)
            cubic.HandleAcked(now + sample, new(Size, first + (ulong)i, now, WasWindowLimited: true), roundTrip);
    }
}
