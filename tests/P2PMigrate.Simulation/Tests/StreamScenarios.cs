using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

public sealed class StreamScenarios
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void A_stream_arrives_whole()
    {
        using World world = new(1);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 1_000_000);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));
        Assert.Equal(1_000_000UL, world.Responder.Incoming[id].Received);
    }

    [Fact]
    public void The_two_directions_of_a_stream_end_independently()
    {
        using World world = new(2);
        StreamId id = world.Initiator.Open(StreamClass.Control, 10);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));
        Assert.False(IsFinished(world.Initiator, id));
        world.Responder.Send(id, 20_000);
        Assert.True(world.RunUntil(() => IsFinished(world.Initiator, id), s_limit));
        Assert.True(world.RunUntil(() => world.Peers.All(peer => peer.Connection.Streams.Count == 0), s_limit));
    }

    // spec: STR-40
    [Fact]
    public void Control_overtakes_bulk_that_was_written_before()
    {
        using World world = new(3);
        world.Internet.SetDirectFaults(new LinkFaults { Rate = 500_000 });
        world.Internet.SetRelayFaults(new LinkFaults { Rate = 500_000 });
        StreamId bulk = world.Initiator.Open(StreamClass.Bulk, 2_000_000);
        world.RunFor(TimeSpan.FromSeconds(1));
        StreamId control = world.Initiator.Open(StreamClass.Control, 1_000);
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, control), TimeSpan.FromMilliseconds(200)));
        Assert.False(IsFinished(world.Responder, bulk));
    }

    // spec: STR-20
    [Fact]
    public void A_reader_that_pauses_stops_the_writer_and_later_lets_it_go_on()
    {
        using World world = new(4);
        world.Responder.IsReading = false;
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 9_000_000);
        world.RunFor(TimeSpan.FromSeconds(10));
        long sent = world.Initiator.Connection.Statistics.BytesSent;
        Assert.InRange(sent, 1 << 20, 5 << 18);

        world.Responder.IsReading = true;
        world.Responder.ReadAll();
        Assert.True(world.RunUntil(() => IsFinished(world.Responder, id), s_limit));
    }

    // spec: STR-23
    [Fact]
    public void Bulk_that_nobody_reads_leaves_other_classes_their_credit()
    {
        using World world = new(5);
        world.Responder.IsReading = false;
        for (int i = 0; i < 6; i++)
            world.Initiator.Open(StreamClass.Bulk, 5_000_000);
        world.RunFor(TimeSpan.FromSeconds(15));

        StreamId control = world.Initiator.Open(StreamClass.Control, 1_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.ContainsKey(control), s_limit));
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Responder.Expect(control).Pump(world.Responder.Connection);
        Assert.True(IsFinished(world.Responder, control));
    }

    // spec: STR-03, STR-05
    [Fact]
    public void Streams_that_are_over_make_room_for_new_ones()
    {
        TransportParameters few = new() { Control = new(StreamWindow: 10_000, ClassWindow: 20_000, Streams: 4) };
        using World world = new(6, new WorldOptions { Parameters = few });
        for (int i = 0; i < 4; i++)
            world.Initiator.Open(StreamClass.Control, 100);
        Assert.False(world.Initiator.Connection.TryOpenStream(StreamClass.Control, out _));

        world.RunFor(TimeSpan.FromSeconds(1));
        foreach (StreamId id in world.Responder.Accepted)
            world.Responder.Send(id, 100);
        Assert.True(world.RunUntil(() => world.Initiator.Events.OfType<StreamsAvailable>().Any(), s_limit));
        Assert.True(world.Initiator.Connection.TryOpenStream(StreamClass.Control, out StreamId fifth));
        Assert.Equal(4UL, fifth.Index);
    }

    // spec: STR-31
    [Fact]
    public void A_stream_that_the_reader_refuses_is_reset_with_its_code()
    {
        using World world = new(7);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 50_000_000);
        world.RunFor(TimeSpan.FromMilliseconds(500));
        world.Responder.Connection.StopSending(id, 4711);
        Assert.True(world.RunUntil(() => world.Initiator.Events.OfType<StreamStopped>().Any(), s_limit));
        Assert.Equal(new StreamStopped(id, 4711), world.Initiator.Events.OfType<StreamStopped>().Single());
        Assert.Equal(StreamWriteStatus.Stopped, world.Initiator.Connection.Write(id, [1, 2, 3]).Status);
    }

    // spec: STR-30
    [Fact]
    public void A_reset_reaches_the_reader_even_after_all_bytes_did()
    {
        using World world = new(8);
        world.Responder.IsReading = false;
        Assert.True(world.Initiator.Connection.TryOpenStream(StreamClass.Urgent, out StreamId id));
        world.Initiator.Connection.Write(id, [1, 2, 3]);
        world.RunFor(TimeSpan.FromSeconds(1));
        world.Initiator.Connection.Reset(id, 5);
        Assert.True(world.RunUntil(() => world.Responder.Events.OfType<StreamReset>().Any(), s_limit));
        Assert.Equal(new StreamReset(id, 5), world.Responder.Events.OfType<StreamReset>().Single());
        Assert.Equal(new StreamReadResult(0, StreamReadStatus.Reset, 5), world.Responder.Connection.Read(id, new byte[10]));
    }

    // spec: STR-03
    [Fact]
    public void Streams_are_accepted_in_the_order_in_which_they_were_opened()
    {
        using World world = new(9);
        LinkFaults shuffled = new() { Jitter = TimeSpan.FromMilliseconds(60), Reorder = 0.3 };
        world.Internet.SetDirectFaults(shuffled);
        world.Internet.SetRelayFaults(shuffled);
        StreamId[] opened = [.. Enumerable.Range(0, 20).Select(_ => world.Initiator.Open(StreamClass.Urgent, 1_000))];
        Assert.True(world.RunUntil(() => world.Responder.Accepted.Count == 20, s_limit));
        Assert.Equal(opened, world.Responder.Accepted);
    }

    private static bool IsFinished(Peer reader, StreamId id) =>
        reader.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.IsFinished;
}
