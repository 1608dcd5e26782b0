using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Tests.Recovery;

/// <summary>What a round trip that is longer than the path's own leads to.</summary>
public sealed class BbrQueueTests
{
    private static readonly TimeSpan s_min = TimeSpan.FromMilliseconds(20);

    // spec: REC-45
    [Theory]
    [InlineData(20, 1)]
    [InlineData(21, 1)]
    [InlineData(22, 0.975)]
    [InlineData(24, 0.925)]
    [InlineData(40, 0.9)]
    public void A_queue_that_stands_for_a_round_trip_slows_by_half_its_share_and_a_tenth_at_most(double shortest, double expected)
    {
        BbrQueue queue = new();
        queue.Add(TimeSpan.FromMilliseconds(60));
        queue.Add(TimeSpan.FromMilliseconds(shortest));
        queue.Add(TimeSpan.Zero); // No sample.
        queue.HandleRound(s_min);
        Assert.Equal(expected, queue.Restraint, 6);
    }

    // spec: REC-45
    [Fact]
    public void A_round_without_a_sample_shows_no_queue()
    {
        BbrQueue queue = new();
        queue.HandleRound(TimeSpan.MaxValue);
        Assert.Equal(1, queue.Restraint);
        queue.Add(TimeSpan.FromMilliseconds(40));
        queue.HandleRound(s_min);
        queue.HandleRound(s_min);
        Assert.Equal(1, queue.Restraint);
    }

    // spec: REC-44
    [Theory]
    [InlineData(0.2, 1.1, false)]
    [InlineData(0.2, 1.3, true)]
    [InlineData(20, 22, false)]
    [InlineData(20, 23, true)]
    public void A_queue_stands_when_an_eighth_and_a_millisecond_are_waited(double min, double roundTrip, bool expected)
    {
        BbrQueue queue = new();
        for (int i = 0; i < 3; i++)
            queue.Add(TimeSpan.FromMilliseconds(roundTrip));
        Assert.Equal(expected, queue.IsStanding(TimeSpan.FromMilliseconds(min)));
    }

    // spec: REC-44
    [Fact]
    public void One_round_trip_among_others_may_have_waited_for_a_thread()
    {
        BbrQueue queue = new();
        foreach (int roundTrip in new[] { 40, 40, 20 })
            queue.Add(TimeSpan.FromMilliseconds(roundTrip));
        Assert.False(queue.IsStanding(s_min));
    }
}
