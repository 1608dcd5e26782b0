using P2PMigrate.Protocol.Connection;

namespace P2PMigrate.Protocol.Tests.Connection;

public sealed class ArrivalWatchTests
{
    private readonly ArrivalWatch _watch = new();
    private Instant _now = new(1_000_000_000);

    // spec: PATH-34
    [Fact]
    public void A_flow_that_stops_is_asked_after_once()
    {
        Receive(ArrivalWatch.Steady, 1);
        Assert.Equal(_now + ArrivalWatch.ShortestPause, _watch.AskAt);
        _watch.HandleAsked(_now);
        Assert.Null(_watch.AskAt);
    }

    // spec: PATH-34
    [Fact]
    public void A_few_packets_are_no_flow()
    {
        for (int i = 0; i < 20; i++)
        {
            Receive(ArrivalWatch.Steady - 1, 1);
            Assert.Null(_watch.AskAt);
            _now += TimeSpan.FromSeconds(1);
        }
    }

    // spec: PATH-34
    [Fact]
    public void A_slow_flow_is_given_twice_its_usual_pause()
    {
        Receive(100, 15);
        Assert.Equal(_now + TimeSpan.FromMilliseconds(30), _watch.AskAt);
        Receive(3000, 1);
        Assert.Equal(_now + ArrivalWatch.ShortestPause, _watch.AskAt);
    }

    // spec: PATH-34
    [Fact]
    public void A_flow_in_bursts_is_asked_after_now_and_then_only()
    {
        int asked = 0;
        for (int i = 0; i < 100; i++)
        {
            Receive(50, 0.1);
            _now += TimeSpan.FromMilliseconds(45);
            if (!(_watch.AskAt <= _now))
                continue;
            asked++;
            _watch.HandleAsked(_now);
        }

        Assert.InRange(asked, 1, 21);
    }

    private void Receive(int count, double milliseconds)
    {
        for (int i = 0; i < count; i++)
        {
            _now += TimeSpan.FromMilliseconds(milliseconds);
            _watch.HandleReceived(_now);
        }
    }
}
