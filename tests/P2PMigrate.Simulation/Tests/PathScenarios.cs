using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

public sealed class PathScenarios
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void The_first_byte_travels_over_the_relay_while_the_direct_path_is_sought()
    {
        using World world = new(1);
        StreamId id = world.Initiator.Open(StreamClass.Control, 100);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromMilliseconds(25)));
        Assert.Equal(PathKind.Relay, world.Responder.PathKind);
    }

    // spec: PATH-01
    [Fact]
    public void Probes_from_both_sides_open_two_port_restricted_NATs()
    {
        using World world = new(2);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), TimeSpan.FromMilliseconds(200)));
        Assert.Contains(new AddressObserved(Internet.Socket, world.Internet.NatOf(0).External), world.Initiator.Events);
    }

    // spec: PATH-21
    [Fact]
    public void Moving_from_the_relay_to_the_direct_path_loses_nothing()
    {
        using World world = new(3, new WorldOptions { IsDirectUp = false });
        world.Internet.SetRelayFaults(new LinkFaults { Delay = TimeSpan.FromMilliseconds(60) });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 6_000_000);
        world.RunFor(TimeSpan.FromMilliseconds(300));
        world.Internet.SetDirectUp(true);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), s_limit));
        Assert.False(IsFinished(world.Responder, id));
        world.RunFor(TimeSpan.FromMilliseconds(500));
        Assert.Equal(0, world.Initiator.Connection.Statistics.PacketsLost);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));
    }

    // spec: PATH-22
    [Fact]
    public void A_direct_path_that_dies_gives_way_to_the_relay_and_returns()
    {
        using World world = new(4);
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 1_000_000 });
        world.Internet.SetRelayFaults(new LinkFaults { Rate = 300_000 });
        world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), s_limit);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 5_000_000);
        world.RunFor(TimeSpan.FromMilliseconds(500));
        world.Internet.SetDirectUp(false);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Relay), TimeSpan.FromSeconds(3)));
        world.Internet.SetDirectUp(true);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), s_limit));
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public void An_idle_direct_path_that_dies_is_noticed_by_keep_alives()
    {
        using World world = new(5);
        world.RunFor(TimeSpan.FromSeconds(10));
        world.Internet.SetDirectUp(false);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Relay), TimeSpan.FromSeconds(5)));
    }

    // spec: PATH-23, PATH-33
    [Fact]
    public void A_direct_path_that_dies_in_mid_transfer_gives_way_to_the_relay_within_500_ms()
    {
        for (ulong seed = 0; seed < 5; seed++)
        {
            using World world = new(seed);
            world.Internet.SetDirectFaults(new LinkFaults { Rate = 2_000_000, Queue = TimeSpan.FromMilliseconds(20) });
            world.Internet.SetRelayFaults(new LinkFaults { Rate = 2_000_000, Queue = TimeSpan.FromMilliseconds(20) });
            world.Initiator.Open(StreamClass.Bulk, 20_000_000);
            world.RunFor(TimeSpan.FromSeconds(1.5));
            Assert.Equal(PathKind.Direct, world.Initiator.PathKind);
            world.Internet.SetDirectUp(false);
            TimeSpan gap = Gap.Longest(world, TimeSpan.FromSeconds(2));
            Assert.True(gap <= TimeSpan.FromMilliseconds(500), $"seed {seed}: {gap.TotalMilliseconds} ms");
        }
    }

    // spec: PATH-11
    [Fact]
    public void A_route_that_drops_full_datagrams_carries_no_data()
    {
        using World world = new(7);
        world.Internet.SetDirectFaults(new LinkFaults { Mtu = 1000 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 1_000_000);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));
        Assert.All(world.Peers, peer => Assert.Equal(PathKind.Relay, peer.PathKind));
        Assert.DoesNotContain(world.Initiator.Events, happened => happened is PrimaryPathChanged { Path.Kind: PathKind.Direct });
    }

    [Fact]
    public void A_direct_path_whose_datagrams_must_shrink_in_mid_transfer_gives_way_to_the_relay()
    {
        using World world = new(8);
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 1_000_000 });
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 4_000_000);
        world.RunFor(TimeSpan.FromMilliseconds(800));
        Assert.Equal(PathKind.Direct, world.Initiator.PathKind);
        world.Internet.SetDirectFaults(new LinkFaults { Mtu = 1000 });
        Assert.True(world.RunUntil(() => world.Initiator.PathKind == PathKind.Relay, TimeSpan.FromSeconds(10)));
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), TimeSpan.FromMinutes(2)));
    }

    // spec: PATH-05
    [Fact]
    public void A_probe_from_an_address_that_nobody_announced_makes_a_path()
    {
        using World world = new(9, new WorldOptions { KnowsCandidates = false });
        world.Internet.NatOf(1).IsFiltering = false;
        world.Initiator.Connection.AddRemoteCandidate(world.Now, new(CandidateKind.Host, world.Internet.NatOf(1).External));
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), s_limit));
    }

    // spec: PATH-09
    [Fact]
    public void A_candidate_learned_late_is_told_to_the_peer_and_tried()
    {
        using World world = new(10, new WorldOptions { KnowsCandidates = false });
        world.RunFor(TimeSpan.FromSeconds(3));
        Assert.Equal(PathKind.Relay, world.Initiator.PathKind);
        foreach (Peer peer in world.Peers)
            peer.Connection.AddLocalCandidate(new(CandidateKind.Reflexive, world.Internet.NatOf(peer.Index).External));
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), TimeSpan.FromSeconds(2)));
    }

    // spec: PATH-08
    [Fact]
    public void An_address_that_has_proven_nothing_gets_at_most_three_times_what_came_from_it()
    {
        using World world = new(11, new WorldOptions { HasRelay = false, StartsDirect = true, KnowsCandidates = false });
        world.Initiator.IsDead = true;
        long sent = 0;
        world.Tap = (from, transmit) =>
        {
            sent += from == 1 && transmit.Length > 96 ? transmit.Length : 0;
            return true;
        };
        world.Responder.Open(StreamClass.Bulk, 100_000);
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(0, sent);
    }

    // spec: PATH-24
    [Fact]
    public void An_idle_session_sends_little_and_stays_alive()
    {
        using World world = new(12);
        world.RunFor(TimeSpan.FromSeconds(5));
        long before = world.Initiator.Connection.Statistics.DatagramsSent;
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.InRange(world.Initiator.Connection.Statistics.DatagramsSent - before, 60, 180);
        Assert.All(world.Peers, peer => Assert.Null(peer.Closed));
    }

    // spec: PATH-24
    [Fact]
    public void A_relay_beside_a_direct_path_stays_warm()
    {
        using World world = new(14);
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 1_000_000 });
        world.Initiator.Open(StreamClass.Bulk, 400_000_000);
        for (int i = 0; i < 10; i++)
        {
            world.RunFor(TimeSpan.FromSeconds(20));
            Assert.All(world.Peers, peer => Assert.Equal(PathKind.Direct, peer.PathKind));
            foreach (CandidatePair relay in world.Peers.Select(peer => peer.Connection.Agent.Pairs.Single(pair => pair.Address == Internet.RelayPath)))
            {
                Assert.True(relay.IsUsable);
                Assert.True(world.Now - relay.AnsweredAt < TimeSpan.FromSeconds(11));
            }
        }
    }

    [Fact]
    public void A_network_change_makes_every_pair_be_probed_again_at_once()
    {
        using World world = new(13, new WorldOptions { IsDirectUp = false });
        world.RunFor(TimeSpan.FromSeconds(20));
        world.Internet.SetDirectUp(true);
        foreach (Peer peer in world.Peers)
            peer.Connection.HandleNetworkChange(world.Now, [new(Internet.Socket, ReachesIPv4: true, ReachesIPv6: false)]);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), TimeSpan.FromMilliseconds(300)));
    }

    // spec: PATH-23, PATH-36
    [Fact]
    public void A_network_that_changes_all_the_time_does_not_keep_data_on_a_dead_path()
    {
        using World world = new(17, new WorldOptions());
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.All(world.Peers, peer => Assert.Equal(PathKind.Direct, peer.PathKind));
        world.Internet.SetDirectUp(false);
        for (int change = 0; change < 100; change++)
        {
            foreach (Peer peer in world.Peers)
                peer.Connection.HandleNetworkChange(world.Now, [new(Internet.Socket, ReachesIPv4: true, ReachesIPv6: false)]);
            world.RunFor(TimeSpan.FromMilliseconds(100));
        }

        Assert.All(world.Peers, peer => Assert.Equal(PathKind.Relay, peer.PathKind));
    }

    private static bool IsFinished(Peer reader, StreamId id) =>
        reader.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.IsFinished;
}
