using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

public sealed class RecoveryScenarios
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly WorldOptions s_directOnly = new() { HasRelay = false, StartsDirect = true };

    // spec: REC-20, REC-21
    [Fact]
    public void A_lost_tail_is_repaired_within_a_few_round_trips()
    {
        using World world = new(1, s_directOnly);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Internet.SetDirectUp(false);
        StreamId id = world.Initiator.Open(StreamClass.Control, 500);
        world.RunFor(TimeSpan.FromMilliseconds(10));
        world.Internet.SetDirectUp(true);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(id) && world.Responder.Incoming[id].IsFinished, TimeSpan.FromMilliseconds(400)));
    }

    [Fact]
    public void A_clean_bottleneck_is_filled()
    {
        using World world = new(2, s_directOnly);
        world.Internet.SetDirectFaults(new LinkFaults { Delay = TimeSpan.FromMilliseconds(25), Rate = 1_000_000 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 10_000_000);
        Instant start = world.Now;
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(id) && world.Responder.Incoming[id].IsFinished, s_limit));
        Assert.InRange((world.Now - start).TotalSeconds, 10, 12.5);
    }

    // spec: REC-12
    [Fact]
    public void Reordering_teaches_patience()
    {
        using World world = new(3, s_directOnly);
        world.Internet.SetDirectFaults(new LinkFaults { Jitter = TimeSpan.FromMilliseconds(10) });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 3_000_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(id) && world.Responder.Incoming[id].IsFinished, s_limit));
        TunnelStatistics statistics = world.Initiator.Connection.Statistics;
        Assert.True(statistics.PacketsLostSpuriously > 0);
        Assert.InRange(statistics.PacketsLost, 1, 200);
    }

    // spec: PKT-20, PKT-21, PKT-22
    [Fact]
    public void Keys_change_in_mid_transfer_under_loss_and_reordering()
    {
        WorldOptions options = s_directOnly with { KeyUpdate = new KeyUpdateOptions { AfterPackets = 50 } };
        using World world = new(4, options);
        world.Internet.SetDirectFaults(new LinkFaults { Jitter = TimeSpan.FromMilliseconds(30), Reorder = 0.1, Loss = 0.05, Rate = 100_000 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 500_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(id) && world.Responder.Incoming[id].IsFinished, s_limit));
        Assert.True(world.Initiator.Connection.Statistics.KeyUpdates >= 2);
        Assert.InRange(world.Responder.Connection.Statistics.KeyUpdates - world.Initiator.Connection.Statistics.KeyUpdates, -1, 1);
    }

    // spec: REC-13
    [Fact]
    public void Acknowledgements_are_fewer_than_the_packets_they_acknowledge()
    {
        using World world = new(5, s_directOnly);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 4_000_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(id) && world.Responder.Incoming[id].IsFinished, s_limit));
        Assert.InRange(world.Responder.Connection.Statistics.DatagramsSent, 1, world.Initiator.Connection.Statistics.DatagramsSent * 6 / 10);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.20)]
    public void Random_loss_costs_time_but_no_bytes(double loss)
    {
        using World world = new(6, s_directOnly);
        world.Internet.SetDirectFaults(new LinkFaults { Loss = loss });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 300_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(id) && world.Responder.Incoming[id].IsFinished, s_limit));
        Assert.Equal(300_000UL, world.Responder.Incoming[id].Received);
    }
}
