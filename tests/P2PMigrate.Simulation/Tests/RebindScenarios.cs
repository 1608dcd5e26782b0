using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

/// <summary>A NAT chooses another port in mid-transfer, before the sender (peer 0) or before the receiver (peer 1).</summary>
public sealed class RebindScenarios
{
    private static readonly TimeSpan s_slack = TimeSpan.FromMilliseconds(50);

    // spec: PATH-30, PATH-31
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_NAT_that_changes_the_port_in_mid_transfer_loses_nothing(int moved)
    {
        using World world = new(6, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.Internet.NatOf(1 - moved).IsFiltering = false;
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 2_000_000 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 5_000_000);
        world.RunFor(TimeSpan.FromMilliseconds(800));
        world.Internet.NatOf(moved).Rebind();
        ulong before = world.Responder.Incoming[id].Received;
        Assert.True(world.RunUntil(() => world.Responder.Incoming[id].Received > before + 500_000, TimeSpan.FromSeconds(1)));
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromMinutes(1)));
    }

    // spec: PATH-32, PATH-34, PATH-35
    [Theory]
    [InlineData(0, 5, 12_500_000)]
    [InlineData(1, 5, 12_500_000)]
    [InlineData(0, 15, 500_000)]
    [InlineData(1, 15, 500_000)]
    [InlineData(0, 15, 1_250_000)]
    [InlineData(1, 15, 1_250_000)]
    [InlineData(0, 50, 2_500_000)]
    [InlineData(1, 50, 2_500_000)]
    [InlineData(0, 120, 2_500_000)]
    public void A_NAT_that_changes_the_port_in_mid_transfer_costs_a_round_trip_and_50_ms_at_most(int moved, int delay, double rate)
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            using World world = Transfer(seed, moved, delay, rate, TimeSpan.FromSeconds(2));
            AssertGap(world, moved, seed, world.Initiator.Connection.PrimaryPath!.Value.RoundTrip);
        }
    }

    // spec: PATH-34, PATH-35
    [Fact]
    public void A_receiver_far_away_whose_NAT_changes_the_port_long_after_the_start_waits_a_round_trip_and_50_ms_at_most()
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            using World world = Transfer(seed, moved: 1, delay: 120, 2_500_000, TimeSpan.FromSeconds(8));
            AssertGap(world, 1, seed, world.Initiator.Connection.PrimaryPath!.Value.RoundTrip);
        }
    }

    // The queue grows from the start of a transfer on, also for half a round trip after the port is gone: the sender cannot
    // know yet, and what it sends to the new port waits behind that. No rule gets data past the queue.
    // spec: PATH-34, PATH-35
    [Fact]
    public void A_receiver_far_away_whose_NAT_changes_the_port_while_the_queue_grows_waits_for_the_way_there_and_back_the_queue_and_50_ms_at_most()
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            using World world = Transfer(seed, moved: 1, delay: 120, 2_500_000, TimeSpan.FromSeconds(2));
            world.Internet.NatOf(1).Rebind();
            TimeSpan? queue = null;
            world.Tap = (from, transmit) =>
            {
                if (from == 0 && transmit.Path.Remote == world.Internet.NatOf(1).External)
                    queue ??= world.Internet.Direct(0).Bottleneck.WaitAt(world.Now);
                return true;
            };
            TimeSpan gap = Gap.Longest(world, TimeSpan.FromSeconds(1));
            TimeSpan ways = 2 * world.Internet.Direct(0).Faults.Delay;
            Assert.True(gap <= ways + queue + s_slack, $"seed {seed}: {gap.TotalMilliseconds} ms with {queue?.TotalMilliseconds} ms of queue");
        }
    }

    // spec: PATH-23, PATH-33
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_port_that_the_other_NAT_does_not_let_in_makes_data_take_the_relay_within_500_ms(int moved)
    {
        for (ulong seed = 0; seed < 5; seed++)
        {
            using World world = new(seed);
            world.Internet.SetDirectFaults(new LinkFaults { Rate = 2_000_000, Queue = TimeSpan.FromMilliseconds(20) });
            world.Internet.SetRelayFaults(new LinkFaults { Rate = 2_000_000, Queue = TimeSpan.FromMilliseconds(20) });
            world.Initiator.Open(StreamClass.Bulk, 20_000_000);
            world.RunFor(TimeSpan.FromSeconds(1.5));
            Assert.Equal(PathKind.Direct, world.Initiator.PathKind);
            world.Internet.NatOf(moved).Rebind();
            TimeSpan gap = Gap.Longest(world, TimeSpan.FromSeconds(2));
            Assert.True(gap <= TimeSpan.FromMilliseconds(500), $"seed {seed}: {gap.TotalMilliseconds} ms");
        }
    }

    // spec: PATH-31
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Packets_that_somebody_sends_on_from_another_host_do_not_move_data_there(int victim)
    {
        PathAddress spoofed = new(Internet.Socket, Internet.Address("203.0.113.9:9"));
        using World world = Hijacked(victim, () => spoofed, out StreamId id, out Func<long> toSpoofed, out Func<long> fromSpoofed);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromMinutes(1)));
        Assert.DoesNotContain(world.Peers[victim].Events, happened => happened is PrimaryPathChanged { Path.Address: var address } && address == spoofed);
        Assert.InRange(toSpoofed(), 1, Math.Min(3 * fromSpoofed(), 20_000));
    }

    // spec: PATH-08, PATH-35
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Packets_that_somebody_sends_on_from_other_ports_stop_data_for_moments_only(int victim)
    {
        World? started = null;
        // Another port every 200 ms: what was learned about the last is worth nothing.
        PathAddress Spoofed() => new(Internet.Socket, Internet.Address($"192.0.2.{2 - victim}:{40_000 + (started!.Now.Nanoseconds / 200_000_000)}"));
        using World world = started = Hijacked(victim, Spoofed, out StreamId id, out Func<long> toSpoofed, out Func<long> fromSpoofed);
        TimeSpan gap = Gap.Longest(world, TimeSpan.FromSeconds(1.5));
        Assert.True(gap <= TimeSpan.FromMilliseconds(300), $"{gap.TotalMilliseconds} ms");
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromSeconds(10)));
        Assert.InRange(toSpoofed(), 1, 3 * fromSpoofed());
    }

    // spec: PATH-34
    [Fact]
    public void A_transfer_that_pauses_is_asked_after_once()
    {
        using World world = new(31, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 2_000_000 });
        world.RunFor(TimeSpan.FromSeconds(10)); // The search for the size of datagrams is over.
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 1_000_000);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromSeconds(5)));
        int asked = 0;
        world.Tap = (from, transmit) => (asked += from == 1 && transmit.Length > 1000 ? 1 : 0) >= 0;
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(1, asked);
    }

    private static World Hijacked(int victim, Func<PathAddress> spoofed, out StreamId id, out Func<long> toSpoofed, out Func<long> fromSpoofed)
    {
        World world = new(21, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 2_000_000 });
        long to = 0, from = 0;
        (toSpoofed, fromSpoofed) = (() => to, () => from);
        NetworkAddress honest = world.Internet.NatOf(1 - victim).External;
        world.Tap = (sender, transmit) => (to += sender == victim && transmit.Path.Remote != honest ? transmit.Length : 0) >= 0;
        id = world.Initiator.Open(StreamClass.Bulk, 4_000_000);
        world.RunFor(TimeSpan.FromMilliseconds(500));
        world.Hijack = (receiver, datagram) =>
        {
            // He is faster than the network: the victim gets every packet from the false address, the original is a copy.
            from += receiver == victim ? datagram.Length : 0;
            return receiver == victim ? spoofed() : null;
        };
        return world;
    }

    private static World Transfer(ulong seed, int moved, int delay, double rate, TimeSpan lead)
    {
        World world = new(seed, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.Internet.NatOf(1 - moved).IsFiltering = false;
        world.Internet.SetDirectFaults(new LinkFaults
        {
            Rate = rate, Delay = TimeSpan.FromMilliseconds(delay + 0.3 * seed), Jitter = TimeSpan.FromMilliseconds(1), Queue = TimeSpan.FromMilliseconds(2 * delay),
        });
        world.Initiator.Open(StreamClass.Bulk, 64_000_000);
        world.RunFor(lead + TimeSpan.FromMilliseconds(7 * seed));
        return world;
    }

    private static void AssertGap(World world, int moved, ulong seed, TimeSpan roundTrip)
    {
        world.Internet.NatOf(moved).Rebind();
        TimeSpan gap = Gap.Longest(world, TimeSpan.FromSeconds(1));
        Assert.True(gap <= roundTrip + s_slack, $"seed {seed}: {gap.TotalMilliseconds} ms at a round trip of {roundTrip.TotalMilliseconds} ms");
    }

    private static bool IsFinished(Peer reader, StreamId id) =>
        reader.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.IsFinished;
}
