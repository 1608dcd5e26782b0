using System.Buffers;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>Datagrams that follow each other on a stream.</summary>
[Trait("Spec", "RLY-11")]
public sealed class StreamedDatagramTests
{
    [Fact]
    public void Datagrams_come_out_whole_wherever_the_stream_is_cut()
    {
        byte[] stream = [1, 0, 7, 3, 0, 1, 2, 3, 2, 0, 9, 9];
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            var taken = new List<byte[]>();
            ReadOnlySequence<byte> rest = new(stream, 0, cut);
            TakeAll(ref rest, taken);
            rest = Join(rest.ToArray(), stream[cut..]);
            TakeAll(ref rest, taken);
            Assert.Equal([[7], [1, 2, 3], [9, 9]], taken);
            Assert.True(rest.IsEmpty);
        }
    }

    [Fact]
    public void A_header_in_two_segments_is_read()
    {
        ReadOnlySequence<byte> rest = Join([2], [0, 5, 6]);
        Assert.True(StreamedDatagram.TryTake(ref rest, out ReadOnlySequence<byte> datagram, out _));
        Assert.Equal([5, 6], datagram.ToArray());
    }

    [Theory]
    [InlineData(0, Refusal.BadValue)]
    [InlineData(StreamedDatagram.MaxLength + 1, Refusal.OverLimit)]
    [InlineData(ushort.MaxValue, Refusal.OverLimit)]
    public void A_length_that_cannot_be_ends_the_stream_before_its_bytes_have_come(int length, Refusal expected)
    {
        byte[] header = new byte[StreamedDatagram.HeaderSize];
        StreamedDatagram.WriteHeader(header, length);
        ReadOnlySequence<byte> rest = new(header);
        Assert.False(StreamedDatagram.TryTake(ref rest, out _, out Refusal refusal));
        Assert.Equal(expected, refusal);
    }

    private static void TakeAll(ref ReadOnlySequence<byte> stream, List<byte[]> taken)
    {
        while (StreamedDatagram.TryTake(ref stream, out ReadOnlySequence<byte> datagram, out Refusal refusal))
        {
            Assert.Equal(Refusal.None, refusal);
            taken.Add(datagram.ToArray());
        }
    }

    private static ReadOnlySequence<byte> Join(byte[] first, byte[] second)
    {
        var head = new Segment(first, null);
        var tail = new Segment(second, head);
        return new ReadOnlySequence<byte>(head, 0, tail, second.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            before?.Next = this;
        }
    }
}
