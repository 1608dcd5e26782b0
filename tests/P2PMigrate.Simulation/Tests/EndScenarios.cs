using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

public sealed class EndScenarios
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static WorldOptions PatientWorld => new()
    {
        HasRelay = false,
        StartsDirect = true,
        Parameters = new() { IdleTimeout = TimeSpan.FromSeconds(40) },
    };

    // spec: PKT-43
    [Fact]
    public void A_killed_peer_is_noticed_within_the_idle_timeout()
    {
        using World world = new(1);
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 1_000_000 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 10_000_000);
        world.RunFor(TimeSpan.FromSeconds(2));
        Assert.False(world.Responder.Incoming[id].IsFinished);
        world.Responder.IsDead = true;
        Assert.True(world.RunUntil(() => world.Initiator.Connection.IsTerminated, TimeSpan.FromSeconds(9.5)));
        Assert.True(world.Initiator.Closed!.Value.IsLost);
    }

    // spec: MIG-120
    [Fact]
    public void A_session_that_may_be_silent_for_long_goes_on_after_its_link_was_away_and_repeats_only_what_was_in_flight()
    {
        const long Length = 30_000_000;
        using World world = new(5, PatientWorld);
        world.Internet.SetDirectFaults(LinkFaults.Bottleneck(20, TimeSpan.FromMilliseconds(20)));
        StreamId id = world.Initiator.Open(StreamClass.Bulk, Length);
        bool isAway = false;
        long sent = 0;
        world.Tap = (from, transmit) =>
        {
            sent += from == 0 ? transmit.Length : 0;
            return !isAway;
        };
        world.RunFor(TimeSpan.FromSeconds(3));
        isAway = true;
        long before = sent;
        world.RunFor(TimeSpan.FromSeconds(20));
        long asked = sent - before;
        isAway = false;
        Assert.True(world.RunUntil(() => world.Responder.Incoming[id].IsFinished, s_limit));
        Assert.True(asked < 500_000, $"{asked} bytes went into the link that was away");
        Assert.True(sent < (Length * 1.05) + 1_000_000, $"{sent} bytes for {Length}");
    }

    // spec: MIG-121
    [Theory]
    [InlineData(true, 10)]
    [InlineData(false, 41)]
    public void A_killed_peer_whose_machine_says_so_is_given_up_sooner(bool refuses, double seconds)
    {
        using World world = new(6, PatientWorld);
        world.Initiator.Open(StreamClass.Bulk, long.MaxValue);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Responder.IsDead = true;
        if (refuses)
            world.At(TimeSpan.FromSeconds(1), () => world.Initiator.Connection.HandleRefusal(world.Now, world.Initiator.Connection.PrimaryPath!.Value.Address.Remote));
        Assert.Equal(refuses, world.RunUntil(() => world.Initiator.Connection.IsTerminated, TimeSpan.FromSeconds(9.5)));
        Assert.True(world.RunUntil(() => world.Initiator.Connection.IsTerminated, TimeSpan.FromSeconds(seconds)));
    }

    // spec: MIG-121
    [Fact]
    public void A_refusal_after_long_silence_leaves_the_peer_time_to_be_heard()
    {
        using World world = new(8, PatientWorld);
        bool isAway = false;
        world.Tap = (_, _) => !isAway;
        world.RunFor(TimeSpan.FromSeconds(1));
        isAway = true;
        world.RunFor(TimeSpan.FromSeconds(20));
        world.Initiator.Connection.HandleRefusal(world.Now, world.Initiator.Connection.PrimaryPath!.Value.Address.Remote);
        world.RunFor(TimeSpan.FromMilliseconds(300));
        isAway = false;
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.Null(world.Initiator.Closed);
    }

    // spec: MIG-121
    [Fact]
    public void A_session_from_which_something_is_heard_does_not_mind_what_is_said_of_it()
    {
        using World world = new(7, PatientWorld);
        world.RunFor(TimeSpan.FromSeconds(1));
        for (int i = 0; i < 20; i++)
        {
            world.Initiator.Connection.HandleRefusal(world.Now, world.Initiator.Connection.PrimaryPath!.Value.Address.Remote);
            world.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.Null(world.Initiator.Closed);
    }

    // spec: PKT-40
    [Fact]
    public void A_close_that_flushes_delivers_everything_first()
    {
        using World world = new(2);
        world.Internet.SetDirectFaults(new LinkFaults { Loss = 0.1 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 300_000);
        world.Initiator.Connection.Close(world.Now, 7, "done", flush: true);
        Assert.True(world.RunUntil(() => world.Responder.Closed is not null, s_limit));
        Assert.Equal(300_000UL, world.Responder.Incoming[id].Received);
        Assert.Equal(new CloseReason(7, "done", ByPeer: true, IsLost: false), world.Responder.Closed);
    }

    [Fact]
    public void A_flush_that_makes_no_progress_is_given_up()
    {
        using World world = new(3);
        world.Responder.IsReading = false;
        world.Initiator.Open(StreamClass.Bulk, 8_000_000);
        world.Initiator.Connection.Close(world.Now, 7, "done", flush: true);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.IsTerminated), s_limit));
        Assert.Equal(7UL, world.Responder.Closed!.Value.Code);
    }

    // spec: PKT-41, PKT-42
    [Fact]
    public void The_reason_arrives_although_CLOSE_is_lost_several_times()
    {
        using World world = new(4, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.RunFor(TimeSpan.FromSeconds(1));
        int lost = 0;
        world.Tap = (from, _) => from != 0 || ++lost > 4;
        world.Initiator.Connection.Close(world.Now, 9, "enough", flush: false);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.IsTerminated), s_limit));
        Assert.Equal(new CloseReason(9, "enough", ByPeer: true, IsLost: false), world.Responder.Closed);
        Assert.True(lost > 4);
    }

    [Fact]
    public void Both_sides_may_close_at_once()
    {
        using World world = new(5);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Initiator.Connection.Close(world.Now, 1, "mine", flush: false);
        world.Responder.Connection.Close(world.Now, 2, "yours", flush: false);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.IsTerminated), TimeSpan.FromSeconds(1)));
        Assert.Equal("mine", world.Initiator.Closed!.Value.Text);
        Assert.Equal("yours", world.Responder.Closed!.Value.Text);
    }

    [Fact]
    public void Closing_towards_a_dead_peer_ends_soon()
    {
        using World world = new(6);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Responder.IsDead = true;
        world.Initiator.Connection.Close(world.Now, 1, "bye", flush: true);
        Assert.True(world.RunUntil(() => world.Initiator.Connection.IsTerminated, TimeSpan.FromSeconds(3.1)));
        Assert.False(world.Initiator.Closed!.Value.IsLost);
    }

    [Fact]
    public void The_first_reason_wins()
    {
        using World world = new(7);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Initiator.Connection.Close(world.Now, 1, "first", flush: false);
        world.Initiator.Connection.Close(world.Now, 2, "second", flush: false);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.IsTerminated), s_limit));
        Assert.Equal("first", world.Responder.Closed!.Value.Text);
    }

    [Fact]
    public void What_arrived_before_the_end_can_still_be_read_after_it()
    {
        using World world = new(8);
        world.Responder.IsReading = false;
        StreamId id = world.Initiator.Open(StreamClass.Control, 1_000);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Initiator.Connection.Close(world.Now, 0, "", flush: true);
        Assert.True(world.RunUntil(() => world.Responder.Connection.IsTerminated, s_limit));
        world.Responder.Expect(id).Pump(world.Responder.Connection);
        Assert.True(world.Responder.Incoming[id].IsFinished);
    }

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        TunnelStatistics[] runs = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using World world = Scripts.RandomScript.From(4242).Run();
            return world.Initiator.Connection.Statistics;
        })];
        Assert.Equal(runs[0], runs[1]);
    }
}
