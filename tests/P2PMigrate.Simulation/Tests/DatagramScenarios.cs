using System.Buffers.Binary;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

/// <summary>Application datagrams: whole or not at all, never late.</summary>
public sealed class DatagramScenarios
{
    private readonly byte[] _buffer = new byte[TunnelConnection.MaxDatagramSize];

    // spec: STR-50
    [Fact]
    public void Datagrams_arrive_whole_and_lost_ones_are_not_sent_again()
    {
        const int Count = 1_000;
        using World world = DirectPath(seed: 41, new LinkFaults { Loss = 0.05 });
        List<int> received = [];
        for (int i = 0; i < Count; i++)
        {
            Assert.True(world.Initiator.Connection.TrySendDatagram(world.Now, Numbered(i)));
            world.RunFor(TimeSpan.FromMilliseconds(20));
            received.AddRange(ReceiveAll(world.Responder));
        }

        world.RunFor(TimeSpan.FromSeconds(3));
        received.AddRange(ReceiveAll(world.Responder));
        Assert.InRange(received.Count, Count * 90 / 100, Count * 98 / 100);
        Assert.Equal(received.Distinct().Count(), received.Count);
        Assert.Equal(Count, world.Initiator.Connection.AppDatagrams.Sent);
        Assert.Equal(received.Count, world.Responder.Connection.AppDatagrams.Received);
    }

    // spec: STR-51
    [Fact]
    public void Datagrams_overtake_bulk()
    {
        using World world = DirectPath(seed: 42, new LinkFaults { Rate = 500_000, Delay = TimeSpan.FromMilliseconds(20), Queue = TimeSpan.FromMilliseconds(40) });
        world.Initiator.Open(StreamClass.Bulk, 5_000_000);
        world.RunFor(TimeSpan.FromSeconds(2));
        for (int i = 0; i < 100; i++)
        {
            world.Initiator.Connection.TrySendDatagram(world.Now, Numbered(i));
            world.RunFor(TimeSpan.FromMilliseconds(20));
        }

        Assert.InRange(ReceiveAll(world.Responder).Count, 90, 100);
    }

    // spec: STR-52
    [Fact]
    public void What_a_slow_path_cannot_carry_in_time_is_dropped_and_counted()
    {
        using World world = DirectPath(seed: 43, new LinkFaults { Rate = 100_000, Queue = TimeSpan.FromMilliseconds(50) });
        for (int i = 0; i < 4_000; i++)
        {
            world.Initiator.Connection.TrySendDatagram(world.Now, Numbered(i));
            if (i % 10 == 0)
                world.RunFor(TimeSpan.FromMilliseconds(1));
        }

        world.RunFor(TimeSpan.FromSeconds(3));
        AppDatagramStatistics counts = world.Initiator.Connection.AppDatagrams;
        Assert.Equal(4_000, counts.Sent + counts.DroppedBeforeSending);
        Assert.InRange(counts.DroppedBeforeSending, 3_000, 3_990);
        Assert.All(ReceiveAll(world.Responder), number => Assert.InRange(number, 0, 3_999));
    }

    // spec: STR-53
    [Fact]
    public void Datagrams_that_nobody_takes_cost_bounded_memory()
    {
        using World world = DirectPath(seed: 44, new LinkFaults());
        for (int i = 0; i < 2_000; i++)
        {
            world.Initiator.Connection.TrySendDatagram(world.Now, Numbered(i));
            world.RunFor(TimeSpan.FromMilliseconds(1));
        }

        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.InRange(world.Responder.Connection.SlabCount * (32 << 10), 1, 320 << 10);
        long dropped = world.Responder.Connection.AppDatagrams.DroppedUnread;
        List<int> received = ReceiveAll(world.Responder);
        Assert.Equal(1_999, received[^1]);
        Assert.Equal(world.Responder.Connection.AppDatagrams.Received, received.Count + dropped);
    }

    [Fact]
    public void A_datagram_that_no_packet_carries_is_refused()
    {
        using World world = DirectPath(seed: 45, new LinkFaults());
        int max = world.Initiator.Connection.MaxAppDatagram;
        Assert.InRange(max, 1_000, 1_500);
        Assert.True(world.Initiator.Connection.TrySendDatagram(world.Now, new byte[max]));
        Assert.False(world.Initiator.Connection.TrySendDatagram(world.Now, new byte[max + 1]));
        Assert.True(world.Initiator.Connection.TrySendDatagram(world.Now, []));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(world.Responder.Connection.TryReceiveDatagram(_buffer, out int length));
        Assert.Equal(max, length);
        Assert.True(world.Responder.Connection.TryReceiveDatagram(_buffer, out length));
        Assert.Equal(0, length);
        Assert.False(world.Responder.Connection.TryReceiveDatagram(_buffer, out _));
    }

    private static World DirectPath(ulong seed, LinkFaults faults)
    {
        World world = new(seed, new WorldOptions { HasRelay = false, StartsDirect = true });
        world.Internet.SetDirectFaults(faults);
        world.RunFor(TimeSpan.FromSeconds(3)); // The size of datagrams is found by then.
        return world;
    }

    private static byte[] Numbered(int number)
    {
        byte[] datagram = new byte[1_000];
        datagram.AsSpan().Fill((byte)number);
        BinaryPrimitives.WriteInt32LittleEndian(datagram, number);
        return datagram;
    }

    private List<int> ReceiveAll(Peer peer)
    {
        List<int> numbers = [];
        while (peer.Connection.TryReceiveDatagram(_buffer, out int length))
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(_buffer);
            Assert.Equal(Numbered(number), _buffer[..length]);
            numbers.Add(number);
        }

        return numbers;
    }
}
