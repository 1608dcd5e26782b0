using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Streams;

/// <summary>Bytes that somebody takes as they come.</summary>
// spec: STR-10, STR-20
public sealed class HandedOverTests : IDisposable
{
    private static readonly StreamId s_id = StreamId.Create(ConnectionRole.Initiator, StreamClass.Bulk, 0);

    private readonly SlabPool _pool = new();
    private readonly Taker _taker = new();
    private readonly ReceiveHalf _receive;

    public HandedOverTests() => _receive = new(new ReceiveCredit(100, 100), new ReceiveCredit(1000, 1000), _pool) { Reader = _taker };

    public void Dispose() => _receive.Dispose();

    [Fact]
    public void Bytes_in_their_order_are_taken_at_once_and_cost_no_memory()
    {
        Assert.True(Came(0, 40));
        Assert.True(Came(40, 10));
        Assert.Equal(Numbers(0, 50), _taker.Taken);
        Assert.Equal(0, _pool.InUse);
        Assert.Equal(0, _receive.Read(new byte[10]).Count);
    }

    [Fact]
    public void What_is_taken_gives_credit()
    {
        Came(0, 20);
        Assert.False(_receive.IsCreditPending);
        Came(20, 20);
        Assert.True(_receive.IsCreditPending);
        Assert.Equal(140ul, _receive.TakeCredit(default, default));
    }

    [Fact]
    public void What_comes_out_of_order_waits_to_be_read()
    {
        Assert.False(Came(20, 10));
        Assert.True(Came(0, 20));
        Assert.Empty(_taker.Taken); // Its place is in front of bytes that wait: both wait.
        Assert.Equal(Numbers(0, 30), Read());
        Assert.True(Came(30, 5));
        Assert.Equal(Numbers(30, 5), _taker.Taken);
    }

    [Fact]
    public void What_there_is_no_room_for_waits_and_so_does_what_follows()
    {
        _taker.Room = 15;
        Assert.True(Came(0, 20));
        _taker.Room = 100;
        Assert.True(Came(20, 20));
        Assert.Equal(Numbers(0, 15), _taker.Taken);
        Assert.Equal(Numbers(15, 25), Read());
    }

    [Fact]
    public void Bytes_that_come_again_are_not_taken_again()
    {
        Came(0, 20);
        Assert.False(Came(0, 20));
        Assert.True(Came(10, 20));
        Assert.Equal(Numbers(0, 30), _taker.Taken);
    }

    [Fact]
    public void The_end_is_seen_after_the_last_byte_was_taken()
    {
        Assert.True(Came(0, 20, isFinal: true));
        Assert.Equal(StreamReadStatus.Finished, _receive.Read(new byte[1]).Status);
        Assert.True(_receive.IsOver);
    }

    [Fact]
    public void Nothing_is_taken_from_a_stream_that_was_refused()
    {
        _receive.TryStop(7);
        Came(0, 20);
        Assert.Empty(_taker.Taken);
    }

    [Fact]
    public void A_reader_that_takes_everything_need_not_read_for_the_peer_to_go_on()
    {
        using Connection.BackToBack pair = new() { MaxDatagrams = 20 };
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 1000);
        pair.Receiver.SetReader(id, _taker);
        pair.Fill(id, 8_000_000); // More than the window: without credit it would never be acknowledged.
        Assert.Equal(8_000_000, _taker.Taken.Count);
    }

    private bool Came(int offset, int length, bool isFinal = false)
    {
        Assert.Equal(TunnelErrorCode.None, _receive.HandleData(new StreamFrame(s_id, (ulong)offset, Numbers(offset, length), isFinal), out bool isNews));
        return isNews;
    }

    private byte[] Read()
    {
        byte[] bytes = new byte[100];
        return bytes[.._receive.Read(bytes).Count];
    }

    private static byte[] Numbers(int first, int count) => [.. Enumerable.Range(first, count).Select(number => (byte)number)];

    private sealed class Taker : IStreamReader
    {
        public int Room { get; set; } = int.MaxValue;

        public List<byte> Taken { get; } = [];

        public int Take(ReadOnlySpan<byte> bytes)
        {
            int count = Math.Min(bytes.Length, Room);
            Room -= count;
            Taken.AddRange(bytes[..count]);
            return count;
        }
    }
}
