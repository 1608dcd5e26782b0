using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

/// <summary>Windows over long and fast paths, and what a reader that stops costs.</summary>
public sealed class WindowScenarios
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // spec: STR-25
    [Fact]
    public void One_stream_fills_a_long_fast_path_with_the_default_windows()
    {
        const long Length = 120_000_000;
        using World world = LongPath(seed: 31);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, Length);
        Protocol.Instant begun = world.Now;
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));

        // 1 MiB a round trip of 200 ms would take 23 s.
        Assert.InRange((world.Now - begun).TotalSeconds, 1, 12);
    }

    // spec: STR-20, STR-26
    [Fact]
    public void A_reader_that_stops_costs_its_window_at_most_and_nothing_after_it_went_on()
    {
        const int SlabSize = 32 << 10;
        using World world = LongPath(seed: 32);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 400_000_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.Received > 100_000_000, s_limit));
        world.Responder.IsReading = false;
        world.RunFor(TimeSpan.FromSeconds(5));
        long held = (long)world.Responder.Connection.SlabCount * SlabSize;
        Assert.InRange(held, 4 << 20, 66 << 20);
        Assert.InRange((long)world.Initiator.Connection.SlabCount * SlabSize, 1, 66 << 20);

        // The reader alone gets it going again: nothing comes from the peer meanwhile.
        world.Responder.IsReading = true;
        world.Responder.ReadAll();
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));
        world.RunFor(TimeSpan.FromSeconds(10));
        Assert.InRange(world.Responder.Connection.SlabCount, 0, 1);
        Assert.InRange(world.Initiator.Connection.SlabCount, 0, 1);
    }

    private static World LongPath(ulong seed)
    {
        World world = new(seed, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.Internet.SetDirectFaults(new LinkFaults { Delay = TimeSpan.FromMilliseconds(100), Rate = 60_000_000 });
        return world;
    }

    private static bool IsFinished(Peer reader, StreamId id) =>
        reader.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.IsFinished;
}
