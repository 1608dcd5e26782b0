using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>The states of BBR on paths that are made for them.</summary>
public sealed class BbrScenarios
{
    private const double BytesPerMegabit = 125_000;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_roundTrip = TimeSpan.FromMilliseconds(40);

    // spec: REC-41
    [Fact]
    public void Startup_finds_the_rate_then_the_queue_is_drained_and_cycles_begin()
    {
        using World world = Create(1, LinkFaults.Bottleneck(50, s_roundTrip, queueInRoundTrips: 3));
        world.Initiator.Open(StreamClass.Bulk, long.MaxValue);
        List<BbrState> states = Watch(world, 6 * s_second);
        // Down may begin and end with one acknowledgement.
        Assert.Equal([BbrState.Startup, BbrState.Drain, BbrState.Cruise, BbrState.Refill, BbrState.Up, BbrState.Cruise], states.Where(state => state != BbrState.Down).Take(6));
        Assert.InRange(Bbr(world).Bandwidth / (50 * BytesPerMegabit), 0.98, 1.02);
        Assert.InRange(Bbr(world).MinRoundTrip, s_roundTrip, s_roundTrip * 1.02);
    }

    // spec: REC-43
    [Fact]
    public void A_flow_that_is_alone_sees_the_round_trip_without_emptying_the_path()
    {
        using World world = Create(2, LinkFaults.Bottleneck(50, s_roundTrip));
        world.Initiator.Open(StreamClass.Bulk, long.MaxValue);
        Assert.DoesNotContain(BbrState.ProbeRoundTrip, Watch(world, 20 * s_second));
    }

    // spec: REC-41
    [Fact]
    public void A_queue_of_others_is_left_for_a_moment_to_see_the_round_trip()
    {
        using World world = Create(3, LinkFaults.Bottleneck(50, s_roundTrip, queueInRoundTrips: 2), pairs: 2);
        world.Initiator.Open(StreamClass.Bulk, long.MaxValue);
        world.Peers[2].Open(StreamClass.Bulk, long.MaxValue);
        List<BbrState> states = Watch(world, 15 * s_second);
        int probes = states.Count(state => state == BbrState.ProbeRoundTrip);
        Assert.InRange(probes, 1, 3);
        Assert.NotEqual(BbrState.ProbeRoundTrip, states[^1]);
    }

    // spec: REC-40
    [Fact]
    public void An_application_that_sends_little_teaches_nothing_wrong_about_the_path()
    {
        using World world = Create(4, LinkFaults.Bottleneck(50, s_roundTrip));
        StreamId bulk = world.Initiator.Open(StreamClass.Bulk, 20_000_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.TryGetValue(bulk, out Peers.IncomingStream? stream) && stream.IsFinished, 10 * s_second));
        double before = Bbr(world).Bandwidth;
        for (int i = 0; i < 100; i++)
        {
            world.Initiator.Open(StreamClass.Urgent, 2_000);
            world.RunFor(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(Bbr(world).Bandwidth / before, 0.95, 1.05);
        Assert.InRange(Bbr(world).Window, (long)(before * s_roundTrip.TotalSeconds), long.MaxValue);
    }

    // spec: REC-40
    [Fact]
    public void Startup_does_not_end_for_want_of_data()
    {
        using World world = Create(5, LinkFaults.Bottleneck(50, s_roundTrip));
        for (int i = 0; i < 100; i++)
        {
            world.Initiator.Open(StreamClass.Urgent, 2_000);
            world.RunFor(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(BbrState.Startup, Bbr(world).State);
    }

    // spec: REC-41
    [Fact]
    public void A_path_that_holds_less_than_a_packet_is_still_used()
    {
        LinkFaults slow = new() { Rate = 20_000, Delay = TimeSpan.FromMilliseconds(1), Queue = s_second };
        using World world = Create(6, slow);
        StreamId bulk = world.Initiator.Open(StreamClass.Bulk, 200_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.TryGetValue(bulk, out Peers.IncomingStream? stream) && stream.IsFinished, 15 * s_second));
        Assert.InRange(Bbr(world).Window, 4 * Bbr(world).DatagramSize, 100_000);
    }

    // spec: REC-24
    [Fact]
    public void After_a_blackout_the_rate_is_back_within_a_second()
    {
        using World world = Create(7, LinkFaults.Bottleneck(50, s_roundTrip));
        Peers.IncomingStream stream = world.Responder.Expect(world.Initiator.Open(StreamClass.Bulk, long.MaxValue));
        world.RunFor(5 * s_second);
        world.Internet.SetDirectUp(false);
        world.RunFor(3 * s_second);
        world.Internet.SetDirectUp(true);
        world.RunFor(2 * s_second);
        ulong before = stream.Received;
        world.RunFor(s_second);
        Assert.InRange((stream.Received - before) / (50 * BytesPerMegabit), 0.85, 1.01);
    }

    // spec: REC-13
    [Fact]
    public void A_receiver_acknowledges_about_eight_times_in_a_round_trip()
    {
        using World world = Create(8, LinkFaults.Bottleneck(100, s_roundTrip));
        world.Initiator.Open(StreamClass.Bulk, long.MaxValue);
        world.RunFor(2 * s_second);
        long before = world.Responder.Connection.Statistics.DatagramsSent;
        world.RunFor(s_second);
        Assert.InRange((world.Responder.Connection.Statistics.DatagramsSent - before) * s_roundTrip.TotalSeconds, 6, 20);
    }

    private static World Create(ulong seed, LinkFaults path, int pairs = 1)
    {
        World world = new(seed, new WorldOptions
        {
            HasRelay = false,
            StartsDirect = true,
            Pairs = pairs,
            RecoveryOf = peer => new() { DirectPaths = peer < 2 ? CongestionControl.Bbr : CongestionControl.Cubic },
        });
        world.Internet.SetDirectFaults(path);
        world.Internet.ShareDirectBottleneck();
        return world;
    }

    private static BbrController Bbr(World world) => Assert.IsType<BbrController>(world.Initiator.Connection.Congestion);

    /// <summary>The states that the first flow goes through.</summary>
    private static List<BbrState> Watch(World world, TimeSpan duration)
    {
        List<BbrState> states = [Bbr(world).State];
        Instant end = world.Now + duration;
        world.RunUntil(
            () =>
            {
                if (Bbr(world).State != states[^1])
                    states.Add(Bbr(world).State);
                return world.Now >= end;
            },
            duration);
        return states;
    }
}
