using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Tests.Recovery;

public sealed class RoundTripEstimatorTests
{
    private static readonly TimeSpan s_10 = TimeSpan.FromMilliseconds(10);

    // spec: REC-01
    [Fact]
    public void The_first_sample_replaces_the_assumption()
    {
        RoundTripEstimator estimator = new(TimeSpan.FromMilliseconds(333));
        estimator.Add(default, s_10, TimeSpan.Zero);
        Assert.Equal((s_10, s_10 / 2, s_10), (estimator.Smoothed, estimator.Variation, estimator.Min));
        Assert.Equal(TimeSpan.FromMilliseconds(30), estimator.Timeout);
    }

    // spec: REC-01
    [Fact]
    public void Later_samples_move_the_average_by_an_eighth()
    {
        RoundTripEstimator estimator = new(s_10);
        estimator.Add(default, s_10, TimeSpan.Zero);
        estimator.Add(default, s_10 * 2, TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromMilliseconds(11.25), estimator.Smoothed);
        Assert.Equal(TimeSpan.FromMilliseconds(6.25), estimator.Variation);
    }

    // spec: REC-01
    [Fact]
    public void The_peers_delay_is_taken_off_but_never_below_the_smallest_sample()
    {
        RoundTripEstimator estimator = new(s_10);
        estimator.Add(default, s_10, TimeSpan.Zero);
        estimator.Add(default, s_10 * 2, s_10);
        Assert.Equal(s_10, estimator.Smoothed);
        estimator.Add(default, s_10, s_10);
        Assert.Equal(s_10, estimator.Min);
        Assert.Equal(s_10, estimator.Smoothed);
    }

    // spec: REC-02
    [Fact]
    public void After_a_long_time_the_next_sample_begins_a_new_estimate()
    {
        RoundTripEstimator estimator = new(s_10);
        Instant start = default;
        estimator.Add(start, s_10 * 50, TimeSpan.Zero);
        estimator.Add(start + RoundTripEstimator.Memory, s_10 * 2, TimeSpan.Zero);
        Assert.Equal((s_10 * 2, s_10, s_10 * 2), (estimator.Smoothed, estimator.Variation, estimator.Min));
    }
}
