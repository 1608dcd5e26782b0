using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

public sealed class EndScenarios
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

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
        Assert.True(world.RunUntil(() => world.Initiator.Connection.IsTerminated, TimeSpan.FromSeconds(8.5)));
        Assert.True(world.Initiator.Closed!.Value.IsLost);
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
