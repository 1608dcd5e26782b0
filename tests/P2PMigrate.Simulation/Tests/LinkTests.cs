using P2PMigrate.Protocol;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>The model of the network itself: what it says it does is what it does.</summary>
public sealed class LinkTests
{
    private const int Size = 1_000;
    private readonly List<(Instant At, byte[] Datagram)> _arrivals = [];
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void Bursty_loss_loses_its_mean_in_runs()
    {
        BurstLoss bursts = new(Begin: 0.01, End: 0.2, Loss: 0.8);
        Link link = new(new SeededGenerator(1)) { Faults = new LinkFaults { Bursts = bursts } };
        int lost = 0, runs = 0;
        bool wasLost = false;
        for (int i = 0; i < 200_000; i++)
        {
            bool isLost = Carry(link) == 0;
            lost += isLost ? 1 : 0;
            runs += isLost && !wasLost ? 1 : 0;
            wasLost = isLost;
        }

        Assert.InRange(lost / 200_000.0 / bursts.Mean, 0.9, 1.1);
        Assert.InRange((double)lost / runs, 2, 4);
    }

    [Fact]
    public void A_full_queue_drops_at_its_tail_and_the_rest_leaves_at_the_rate()
    {
        Link link = new(new SeededGenerator(1)) { Faults = LinkFaults.Bottleneck(8, TimeSpan.FromMilliseconds(20)) };
        for (int i = 0; i < 100; i++)
            Carry(link);
        Assert.Equal(21, _arrivals.Count); // One in service and 20 ms of 1 kB each millisecond behind it.
        Assert.Equal(79, link.Bottleneck.Dropped);
        Assert.Equal(_now + TimeSpan.FromMilliseconds(10 + 21), _arrivals[^1].At);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Jitter_reorders_unless_order_is_kept(bool keepsOrder)
    {
        Link link = new(new SeededGenerator(1)) { Faults = new LinkFaults { Jitter = TimeSpan.FromMilliseconds(10), KeepsOrder = keepsOrder } };
        for (int i = 0; i < 1_000; i++, _now += TimeSpan.FromMilliseconds(1))
            Carry(link);
        Assert.Equal(keepsOrder, _arrivals.Zip(_arrivals.Skip(1)).All(pair => pair.First.At <= pair.Second.At));
    }

    [Fact]
    public void Two_links_with_one_bottleneck_share_its_rate()
    {
        Internet internet = new(new SeededGenerator(1), peers: 4);
        internet.SetDirectFaults(LinkFaults.Bottleneck(8, TimeSpan.FromMilliseconds(20)));
        internet.ShareDirectBottleneck();
        Assert.Same(internet.Direct(0).Bottleneck, internet.Direct(2).Bottleneck);
        Assert.NotSame(internet.Direct(0).Bottleneck, internet.Direct(1).Bottleneck);
        for (int i = 0; i < 5; i++)
        {
            Carry(internet.Direct(0));
            Carry(internet.Direct(2));
        }

        Assert.Equal(_now + TimeSpan.FromMilliseconds(10 + 10), _arrivals[^1].At);
    }

    private int Carry(Link link)
    {
        int before = _arrivals.Count;
        link.Carry(_now, new byte[Size], _arrivals);
        return _arrivals.Count - before;
    }
}
