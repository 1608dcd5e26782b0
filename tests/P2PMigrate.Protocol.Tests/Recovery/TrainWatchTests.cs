using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Tests.Recovery;

/// <summary>Trains on paths that spoil them, and on paths that spoil everything.</summary>
// spec: REC-50
public sealed class TrainWatchTests
{
    private const int Wanted = 45;

    private readonly TrainWatch _watch = new();
    private readonly Random _random = new(1);
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void Trains_are_trusted_and_nothing_leaves_alone_while_nothing_is_lost()
    {
        Run(100_000, (_, _) => false);
        Assert.Equal(TrainTrust.Trusted, _watch.Trust);
        Assert.Equal(Wanted, _watch.Limit(_now, Wanted));
    }

    [Fact]
    public void A_path_that_spoils_whole_trains_gets_none_after_a_few_hundred_packets()
    {
        Run(1000, (inTrain, _) => inTrain);
        Assert.Equal(TrainTrust.Banned, _watch.Trust);
        Assert.Equal(1, _watch.Limit(_now, Wanted));
    }

    [Fact]
    public void A_path_that_spoils_the_last_datagram_of_each_train_gets_none_soon()
    {
        Run(20_000, (_, isLast) => isLast);
        Assert.Equal(TrainTrust.Banned, _watch.Trust);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.13)]
    [InlineData(0.4)]
    public void Random_loss_is_not_blamed_on_trains_and_costs_few_packets_alone(double rate)
    {
        int alone = Run(500_000, (_, _) => _random.NextDouble() < rate);
        Assert.Equal(TrainTrust.Trusted, _watch.Trust);
        Assert.InRange(alone, 1, 10_000);
    }

    [Fact]
    public void A_ban_ends_and_a_path_that_was_mended_gets_its_trains_back()
    {
        Run(1000, (inTrain, _) => inTrain);
        _now += TimeSpan.FromSeconds(61);
        Run(2000, (_, _) => false);
        Assert.Equal(TrainTrust.Trusted, _watch.Trust);
    }

    [Fact]
    public void A_second_ban_is_longer_than_the_first()
    {
        Run(1000, (inTrain, _) => inTrain);
        _now += TimeSpan.FromSeconds(61);
        Run(1000, (inTrain, _) => inTrain);
        Assert.Equal(TrainTrust.Banned, _watch.Trust);
        _now += TimeSpan.FromSeconds(61);
        Assert.Equal(1, _watch.Limit(_now, Wanted));
        Assert.Equal(TrainTrust.Banned, _watch.Trust);
    }

    /// <summary>Sends so many packets, whose fate is known at once; returns how many left alone.</summary>
    private int Run(int packets, Func<bool, bool, bool> isLost)
    {
        int alone = 0;
        for (int sent = 0; sent < packets;)
        {
            int count = _watch.Limit(_now, Wanted);
            bool asTrain = count > 1;
            _watch.HandleSent(count);
            for (int i = 1; i <= count; i++)
                _watch.HandleFate(asTrain, isLost(asTrain, asTrain && i == count));
            sent += count;
            alone += asTrain ? 0 : 1;
        }

        return alone;
    }
}
