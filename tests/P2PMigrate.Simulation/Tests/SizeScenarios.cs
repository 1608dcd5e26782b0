using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

/// <summary>How long datagrams are: found out, kept when packets get lost by chance, corrected when a link shrinks.</summary>
public sealed class SizeScenarios
{
    private const int HeadersV4 = 28;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly WorldOptions s_directOnly = new() { HasRelay = false, StartsDirect = true };

    // spec: PATH-41
    [Theory]
    [InlineData(1500, 1472)]
    [InlineData(1492, 1464)]
    [InlineData(1420, 1392)]
    [InlineData(1280, 1252)]
    [InlineData(1200, 1172)]
    [InlineData(1124, 1072)]
    [InlineData(9000, 8972)]
    public void A_path_finds_the_longest_datagram_that_its_link_carries(int mtu, int size)
    {
        using World world = new(1, s_directOnly);
        SetMtu(world, mtu);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.Statistics.DatagramSize == size), TimeSpan.FromSeconds(10)));
        world.RunFor(TimeSpan.FromSeconds(90));
        Assert.All(world.Peers, peer => Assert.Equal(size, peer.Connection.Statistics.DatagramSize));
        Assert.All(world.Peers, peer => Assert.Equal(0, peer.Connection.Statistics.PacketsLost));
    }

    // spec: PATH-11, PATH-41
    [Fact]
    public void A_path_of_1124_bytes_is_validated_and_carries_data()
    {
        using World world = new(2);
        SetMtu(world, 1124);
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.PathKind == PathKind.Direct), TimeSpan.FromSeconds(2)));
        Assert.True(Transfer(world, 500_000, s_limit));
        Assert.All(world.Peers, peer => Assert.Equal(PathKind.Direct, peer.PathKind));
    }

    // spec: PATH-41
    [Fact]
    public void Datagrams_of_a_transfer_are_as_long_as_the_path_allows()
    {
        using World world = new(3, s_directOnly);
        SetMtu(world, 1500);
        world.RunFor(TimeSpan.FromSeconds(5));
        List<int> lengths = [];
        world.Tap = (from, transmit) =>
        {
            if (from == 0)
                lengths.Add(transmit.Length);
            return true;
        };
        Assert.True(Transfer(world, 1_000_000, s_limit));
        Assert.True(lengths.Count(length => length is > 1440 and <= 1472) >= lengths.Count - 20);
    }

    // spec: PATH-43
    [Fact]
    public void A_link_that_grows_is_found_to_have_grown()
    {
        using World world = new(4, s_directOnly);
        SetMtu(world, 1280);
        world.RunFor(TimeSpan.FromSeconds(10));
        SetMtu(world, 1500);
        Assert.True(world.RunUntil(() => world.Initiator.Connection.Statistics.DatagramSize == 1472, TimeSpan.FromSeconds(70)));
    }

    // spec: PATH-44
    [Theory]
    [InlineData(1500, 1200, 1172)]
    [InlineData(1500, 1280, 1252)]
    [InlineData(9000, 1500, 1472)]
    public void A_link_that_shrinks_in_mid_transfer_costs_less_than_a_second(int before, int after, int size)
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            using World world = new(seed, s_directOnly);
            SetMtu(world, before, rate: 2_000_000);
            StreamId id = world.Initiator.Open(StreamClass.Bulk, 20_000_000);
            world.RunFor(TimeSpan.FromSeconds(2));
            ulong received = world.Responder.Incoming[id].Received;
            SetMtu(world, after, rate: 2_000_000);
            Assert.True(world.RunUntil(() => world.Responder.Incoming[id].Received > received + 300_000, TimeSpan.FromSeconds(1)), $"seed {seed}");
            Assert.True(world.RunUntil(() => world.Initiator.Connection.Statistics.DatagramSize == size, TimeSpan.FromSeconds(5)), $"seed {seed}");
            Assert.Equal(1, world.Initiator.Connection.Statistics.BlackHoles);
        }
    }

    // spec: PATH-44
    [Fact]
    public void Full_datagrams_that_vanish_are_noticed_although_short_ones_keep_arriving()
    {
        using World world = new(5, s_directOnly);
        SetMtu(world, 1500, rate: 2_000_000);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 20_000_000);
        KeepTalking(world);
        world.RunFor(TimeSpan.FromSeconds(2));
        ulong received = world.Responder.Incoming[id].Received;
        SetMtu(world, 1200, rate: 2_000_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming[id].Received > received + 300_000, TimeSpan.FromSeconds(1)));
    }

    // spec: PATH-44
    [Theory]
    [InlineData(0.13)]
    public void Random_loss_is_never_taken_for_a_link_that_shrank(double loss)
    {
        Parallel.For(0, 60, seed =>
        {
            using World world = new((ulong)seed, s_directOnly);
            SetMtu(world, 1500, loss: loss);
            foreach (Peer peer in world.Peers)
                peer.Open(StreamClass.Bulk, 400_000);
            KeepTalking(world);
            world.RunFor(TimeSpan.FromSeconds(20));
            Assert.All(world.Peers, peer => Assert.True(peer.Connection.Statistics.BlackHoles == 0, $"seed {seed}"));
            Assert.All(world.Peers, peer => Assert.Null(peer.Closed));
        });
    }

    // spec: PATH-45
    [Fact]
    public void A_size_that_the_own_interface_refuses_is_given_up_at_once()
    {
        using World world = new(6, s_directOnly);
        SetMtu(world, 1500);
        world.Tap = (from, transmit) =>
        {
            if (transmit.Length <= 1300)
                return true;
            world.At(TimeSpan.Zero, () => world.Peers[from].Connection.HandleTooLong(world.Now, transmit.Path, transmit.Length));
            return false;
        };
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.Statistics.DatagramSize == 1252), TimeSpan.FromSeconds(3)));
        Assert.True(Transfer(world, 300_000, TimeSpan.FromSeconds(5)));
        Assert.Equal(0, world.Initiator.Connection.Statistics.PacketsLost);
    }

    // spec: PATH-45
    [Fact]
    public void An_own_interface_that_shrinks_in_mid_transfer_costs_a_round_trip()
    {
        using World world = new(7, s_directOnly);
        SetMtu(world, 1500, rate: 2_000_000);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 20_000_000);
        world.RunFor(TimeSpan.FromSeconds(2));
        world.Tap = (from, transmit) =>
        {
            if (transmit.Length <= 1172)
                return true;
            world.At(TimeSpan.Zero, () => world.Peers[from].Connection.HandleTooLong(world.Now, transmit.Path, transmit.Length));
            return false;
        };
        world.RunFor(TimeSpan.FromMilliseconds(50));
        ulong received = world.Responder.Incoming[id].Received;
        Assert.True(world.RunUntil(() => world.Responder.Incoming[id].Received > received + 100_000, TimeSpan.FromMilliseconds(200)));
        Assert.Equal(0, world.Initiator.Connection.Statistics.BlackHoles);
    }

    // spec: PATH-46
    [Fact]
    public void A_path_that_becomes_primary_finds_out_its_own_size()
    {
        using World world = new(8);
        SetMtu(world, 1500);
        world.Internet.SetRelayFaults(new LinkFaults { Mtu = 1300 });
        Assert.True(world.RunUntil(() => world.Initiator.Connection.Statistics.DatagramSize == 1472, TimeSpan.FromSeconds(5)));
        world.Internet.SetDirectUp(false);
        Assert.True(world.RunUntil(() => world.Initiator.PathKind == PathKind.Relay, s_limit));
        Assert.InRange(world.Initiator.Connection.Statistics.DatagramSize, 1024, 1300);
        Assert.True(world.RunUntil(() => world.Initiator.Connection.Statistics.DatagramSize == 1252, TimeSpan.FromSeconds(10)));
    }

    private static void SetMtu(World world, int mtu, double rate = 0, double loss = 0) =>
        world.Internet.SetDirectFaults(new LinkFaults { Mtu = mtu - HeadersV4, Rate = rate, Loss = loss });

    private static bool Transfer(World world, long length, TimeSpan limit)
    {
        StreamId id = world.Initiator.Open(StreamClass.Bulk, length);
        return world.RunUntil(() => world.Responder.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.IsFinished, limit);
    }

    // Short messages all the time, so that short packets are acknowledged all the time.
    private static void KeepTalking(World world)
    {
        if (world.Initiator.Connection.TryOpenStream(StreamClass.Control, out StreamId id))
        {
            world.Initiator.Expect(id);
            world.Initiator.Send(id, 100);
        }

        foreach (StreamId accepted in world.Responder.Accepted.Where(accepted => !world.Responder.Outgoing.ContainsKey(accepted)).ToList())
            world.Responder.Send(accepted, 10);
        if (world.Initiator.Closed is null)
            world.At(TimeSpan.FromMilliseconds(15), () => KeepTalking(world));
    }
}
