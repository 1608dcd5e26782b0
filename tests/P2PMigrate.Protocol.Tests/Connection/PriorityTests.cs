using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>What is in the next packet when several streams have something to send.</summary>
public sealed class PriorityTests : IDisposable
{
    private readonly ForgingPeer _peer = new();

    public void Dispose() => _peer.Dispose();

    // spec: STR-40, STR-43
    [Theory]
    [InlineData(StreamClass.Control)]
    [InlineData(StreamClass.Urgent)]
    public void An_answer_of_4_KiB_is_in_the_next_packets_however_much_bulk_waits(StreamClass better)
    {
        StreamId bulk = Open(StreamClass.Bulk, 1 << 20);
        int first = _peer.Drain().Count(packet => packet.Label == 1);
        StreamId answer = Open(better, 4096);
        AcknowledgeAll(first);
        List<StreamId> next = [];
        for (int i = 0; i < 10; i++)
        {
            next.AddRange(StreamsOf(_peer.Drain()));
            _peer.Now += TimeSpan.FromMilliseconds(50); // The pacer lets a few go at a time.
            _peer.Connection.HandleTimeout(_peer.Now);
        }

        Assert.Equal(Enumerable.Repeat(answer, 4), next.Take(4));
        Assert.Contains(bulk, next.Skip(4));
    }

    // spec: STR-42
    [Fact]
    public void A_better_class_slows_a_worse_one_down_and_does_not_stop_it()
    {
        StreamId urgent = Open(StreamClass.Urgent, 1 << 20), bulk = Open(StreamClass.Bulk, 1 << 20);
        List<StreamId> sent = SendFor(rounds: 40);
        int bulkRanges = sent.Count(id => id == bulk);
        Assert.InRange(bulkRanges, sent.Count / 40, sent.Count / 25);
        Assert.Equal(sent.Count - bulkRanges, sent.Count(id => id == urgent));
    }

    // spec: STR-41
    [Fact]
    public void Streams_of_a_class_share_the_path_by_their_weights()
    {
        StreamId light = Open(StreamClass.Bulk, 1 << 20), heavy = Open(StreamClass.Bulk, 1 << 20);
        _peer.Connection.SetWeight(heavy, 3);
        List<StreamId> sent = SendFor(rounds: 40);
        double share = (double)sent.Count(id => id == heavy) / sent.Count(id => id == light);
        Assert.InRange(share, 2.7, 3.3);
    }

    private StreamId Open(StreamClass streamClass, int length)
    {
        Assert.True(_peer.Connection.TryOpenStream(streamClass, out StreamId id));
        Assert.Equal(length, _peer.Connection.Write(id, new byte[length]).Count);
        return id;
    }

    private List<StreamId> SendFor(int rounds)
    {
        List<StreamId> sent = [];
        int count = 0;
        for (int i = 0; i < rounds; i++)
        {
            var packets = _peer.Drain();
            count += packets.Count(packet => packet.Label == 1);
            sent.AddRange(StreamsOf(packets));
            AcknowledgeAll(count);
        }

        return sent;
    }

    /// <summary>The peer has the first packets under label 1; time passes, so that the pacer lets more go.</summary>
    private void AcknowledgeAll(int count)
    {
        byte[] frame = new byte[32];
        WireWriter writer = new(frame);
        writer.WriteByte((byte)FrameType.Ack);
        writer.WriteByte(1);
        writer.WriteVarInt((ulong)count - 1);
        writer.WriteVarInt(0);
        writer.WriteVarInt(0);
        writer.WriteVarInt((ulong)count - 1);
        _peer.Now += TimeSpan.FromMilliseconds(500);
        _peer.Connection.HandleTimeout(_peer.Now);
        _peer.Send(1, frame.AsSpan(0, writer.Written));
        Assert.Null(_peer.Error);
    }

    private static List<StreamId> StreamsOf(IEnumerable<(PathAddress To, byte Label, byte[] Frames, int Length)> packets)
    {
        List<StreamId> streams = [];
        foreach (byte[] frames in packets.Where(packet => packet.Label == 1).Select(packet => packet.Frames))
        {
            WireReader reader = new(frames);
            while (reader.TryReadByte(out byte type))
            {
                if ((FrameType)type == FrameType.Stream && StreamFrame.TryParse(ref reader, isFinal: false, out StreamFrame frame))
                    streams.Add(frame.Stream);
                else if ((FrameType)type == FrameType.Ack)
                    Assert.True(AckFrame.TryParse(ref reader, out _));
            }
        }

        return streams;
    }
}
