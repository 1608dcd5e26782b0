using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Streams;

public sealed class StreamHalfTests : IDisposable
{
    private static readonly StreamId s_id = StreamId.Create(ConnectionRole.Initiator, StreamClass.Bulk, 0);

    private readonly SlabPool _pool = new();
    private readonly ReceiveCredit _classCredit = new(150, 150);
    private readonly ReceiveHalf _receive;

    public StreamHalfTests() => _receive = new(new ReceiveCredit(100, 100), _classCredit, _pool);

    public void Dispose() => _receive.Dispose();

    // spec: STR-14
    [Fact]
    public void The_end_of_a_stream_may_not_move()
    {
        Assert.Equal(TunnelErrorCode.None, Data(0, 10, isFinal: true));
        Assert.Equal(TunnelErrorCode.None, Data(0, 10, isFinal: true));
        Assert.Equal(TunnelErrorCode.FinalSize, Data(0, 9, isFinal: true));
        Assert.Equal(TunnelErrorCode.FinalSize, Data(5, 6, isFinal: false));
        Assert.Equal(TunnelErrorCode.FinalSize, _receive.HandleReset(new(s_id, 1, 11), out _));
    }

    // spec: STR-14
    [Fact]
    public void The_end_may_not_lie_before_bytes_that_came()
    {
        Data(10, 10, isFinal: false);
        Assert.Equal(TunnelErrorCode.FinalSize, Data(0, 15, isFinal: true));
        Assert.Equal(TunnelErrorCode.FinalSize, _receive.HandleReset(new(s_id, 1, 19), out _));
    }

    // spec: STR-22
    [Fact]
    public void More_bytes_than_the_stream_may_send_are_an_error()
    {
        Assert.Equal(TunnelErrorCode.None, Data(90, 10, isFinal: false));
        Assert.Equal(TunnelErrorCode.FlowControl, Data(100, 1, isFinal: false));
    }

    // spec: STR-22
    [Fact]
    public void More_bytes_than_the_class_may_send_are_an_error()
    {
        ReceiveHalf other = new(new ReceiveCredit(100, 100), _classCredit, _pool);
        Assert.Equal(TunnelErrorCode.None, Data(0, 100, isFinal: false));
        Assert.Equal(TunnelErrorCode.FlowControl, other.HandleData(new StreamFrame(s_id, 0, new byte[51], false), out _));
    }

    // spec: STR-20
    [Fact]
    public void Reading_gives_credit_without_any_packet_from_the_peer()
    {
        Data(0, 100, isFinal: false);
        Assert.False(_receive.IsCreditPending);
        _receive.Read(new byte[24]);
        Assert.False(_receive.IsCreditPending);
        _receive.Read(new byte[1]);
        Assert.True(_receive.IsCreditPending);
        Assert.Equal(125UL, _receive.TakeCredit(default, default));
        Assert.False(_receive.IsCreditPending);
        _receive.HandleCreditLost();
        Assert.True(_receive.IsCreditPending);
    }

    // spec: STR-24
    [Fact]
    public void What_is_refused_or_reset_gives_its_class_credit_back()
    {
        Data(0, 60, isFinal: false);
        Assert.True(_receive.TryStop(1));
        Data(60, 20, isFinal: false);
        Assert.Equal(TunnelErrorCode.None, _receive.HandleReset(new(s_id, 1, 100), out _));
        Assert.Equal(250UL, _classCredit.Grant(default, default));
        Assert.True(_receive.IsOver);
    }

    [Fact]
    public void A_read_reports_bytes_and_the_end_together()
    {
        Data(0, 10, isFinal: true);
        Assert.Equal(new StreamReadResult(4, StreamReadStatus.Open), _receive.Read(new byte[4]));
        Assert.Equal(new StreamReadResult(6, StreamReadStatus.Finished), _receive.Read(new byte[100]));
        Assert.True(_receive.IsOver);
    }

    // spec: STR-30
    [Fact]
    public void A_reset_discards_what_was_not_read_unless_all_had_come_with_the_end()
    {
        Data(0, 10, isFinal: false);
        _receive.HandleReset(new(s_id, 7, 10), out bool isNews);
        Assert.True(isNews);
        Assert.Equal(new StreamReadResult(0, StreamReadStatus.Reset, 7), _receive.Read(new byte[100]));

        ReceiveHalf complete = new(new ReceiveCredit(100, 100), new ReceiveCredit(100, 100), _pool);
        complete.HandleData(new StreamFrame(s_id, 0, new byte[10], true), out _);
        complete.HandleReset(new(s_id, 7, 10), out isNews);
        Assert.False(isNews);
        Assert.Equal(new StreamReadResult(10, StreamReadStatus.Finished), complete.Read(new byte[100]));
    }

    // spec: STR-21
    [Fact]
    public void Sending_stops_at_the_credit_of_stream_and_class()
    {
        SendHalf send = new(peerWindow: 50, new SendAllowance(1_000), _pool);
        SendCredit classCredit = new(80);
        Assert.Equal(new StreamWriteResult(100, StreamWriteStatus.Open), send.Write(new byte[100]));
        Assert.True(send.TryTake(1_000, classCredit, out StreamRange range, out _));
        Assert.Equal(new StreamRange(0, 50), range);
        Assert.False(send.TryTake(1_000, classCredit, out _, out _));
        Assert.True(send.TryRaiseCredit(200));
        Assert.True(send.TryTake(1_000, classCredit, out range, out _));
        Assert.Equal(new StreamRange(50, 80), range);
        Assert.False(send.TryTake(1_000, classCredit, out _, out _));
        send.HandleLost(new(10, 20), isFinal: false);
        Assert.True(send.TryTake(1_000, classCredit, out range, out _));
        Assert.Equal(new StreamRange(10, 20), range);
    }

    [Fact]
    public void The_end_is_sent_with_the_last_bytes_or_alone_and_again_when_lost()
    {
        SendHalf send = new(peerWindow: 50, new SendAllowance(1_000), _pool);
        SendCredit classCredit = new(80);
        send.Write(new byte[10]);
        send.TryTake(1_000, classCredit, out _, out bool isFinal);
        Assert.False(isFinal);
        send.Finish();
        Assert.True(send.TryTake(1_000, classCredit, out StreamRange range, out isFinal));
        Assert.Equal((new StreamRange(10, 10), true), (range, isFinal));
        Assert.False(send.TryTake(1_000, classCredit, out _, out _));
        send.HandleLost(range, isFinal: true);
        Assert.True(send.TryTake(1_000, classCredit, out range, out isFinal));
        send.HandleAcked(range, isFinal: true);
        Assert.False(send.IsOver);
        send.HandleAcked(new(0, 10), isFinal: false);
        Assert.True(send.IsOver);
        Assert.Equal(StreamWriteStatus.Finished, send.Write([1]).Status);
    }

    // spec: STR-27
    [Fact]
    public void What_was_lent_comes_back_once_much_of_it_or_all_is_acknowledged()
    {
        SendHalf send = new(peerWindow: 1 << 20, new SendAllowance(1 << 20), _pool);
        send.Lend(new byte[100_000]);
        send.TryTake(200_000, new SendCredit(1 << 20), out _, out _);
        Assert.False(send.HandleAcked(new(0, 60_000), isFinal: false));
        Assert.True(send.HandleAcked(new(60_000, 70_000), isFinal: false));
        Assert.Equal(70_000UL, send.Released);
        Assert.True(send.HandleAcked(new(70_000, 100_000), isFinal: false));
        send.Write(new byte[10]);
        send.TryTake(200_000, new SendCredit(1 << 20), out _, out _);
        Assert.False(send.HandleAcked(new(100_000, 100_010), isFinal: false));
    }

    // spec: STR-27
    [Fact]
    public void What_was_lent_is_not_used_after_a_reset()
    {
        SendHalf send = new(peerWindow: 1 << 20, new SendAllowance(1 << 20), _pool);
        send.Lend(new byte[100]);
        Assert.Equal(0UL, send.Released);
        Assert.True(send.TryReset(7));
        Assert.Equal(ulong.MaxValue, send.Released);
    }

    [Fact]
    public void A_write_that_was_cut_short_is_told_of_room_when_a_quarter_of_the_buffer_is_free()
    {
        SendHalf send = new(peerWindow: 1_000, new SendAllowance(100), _pool);
        Assert.Equal(100, send.Write(new byte[150]).Count);
        send.TryTake(1_000, new SendCredit(1_000), out _, out _);
        Assert.False(send.HandleAcked(new(0, 24), isFinal: false));
        Assert.True(send.HandleAcked(new(24, 25), isFinal: false));
        Assert.False(send.HandleAcked(new(25, 60), isFinal: false));
    }

    // spec: STR-01
    [Fact]
    public void A_stream_id_tells_opener_class_and_index()
    {
        StreamId id = StreamId.Create(ConnectionRole.Responder, StreamClass.Urgent, 1234);
        Assert.Equal((ConnectionRole.Responder, StreamClass.Urgent, 1234UL), (id.Opener, id.Class, id.Index));
        Assert.True(StreamId.TryFrom(id.Value, out StreamId read));
        Assert.Equal(id, read);
        Assert.False(StreamId.TryFrom(6, out _));
    }

    private ulong Data(ulong offset, int length, bool isFinal) =>
        _receive.HandleData(new StreamFrame(s_id, offset, new byte[length], isFinal), out _);
}
