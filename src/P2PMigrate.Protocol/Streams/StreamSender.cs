using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Datagrams;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Fills packets with what the streams have to say, and learns what became of it. Order: credit and ends first, then
/// the classes, a better one always before a worse one, and inside a class one range per stream in turn.
/// </summary>
internal sealed class StreamSender(StreamTable table, DatagramExchange datagrams, EventQueue events)
{
    // A range shorter than this is not worth a frame header at the end of a packet.
    private const int MinRoom = StreamFrame.MaxOverhead + 16;

    // The moment of the packet being written, and the round trip of its path: what windows are tuned by.
    private Instant _now;
    private TimeSpan _roundTrip;

    // A range whose packets are acknowledged, and which may go on with the next packet's.
    private SentFrame _acked;

    /// <summary>Is there anything to write?</summary>
    public bool HasPending
    {
        get
        {
            if (table.ControlQueue.Count > 0 || datagrams.HasPending)
                return true;
            foreach (ClassState shared in table.Classes)
            {
                if (!shared.Ready.IsEmpty || shared.IsCreditPending || shared.IsLimitPending)
                    return true;
            }

            return false;
        }
    }

    /// <summary>Is there anything for <see cref="WriteBytes"/>?</summary>
    public bool HasBytes
    {
        get
        {
            foreach (ClassState shared in table.Classes)
            {
                if (!shared.Ready.IsEmpty)
                    return true;
            }

            return datagrams.HasPending;
        }
    }

    /// <summary>Has a class that is better than bulk bytes to send?</summary>
    public bool HasUrgent => !table.Classes[(int)StreamClass.Control].Ready.IsEmpty || !table.Classes[(int)StreamClass.Urgent].Ready.IsEmpty;

    /// <summary>Writes as many frames as fit into a packet for a path with this round trip.</summary>
    // spec: STR-40, STR-41
    public void Write(Instant now, TimeSpan roundTrip, ref PacketWriter packet)
    {
        (_now, _roundTrip) = (now, roundTrip);
        WriteClassLimits(ref packet);
        WriteControl(ref packet);
        WriteBytes(now, ref packet);
    }

    /// <summary>Writes the bytes of streams, and application datagrams, as many as fit into the packet.</summary>
    // spec: STR-40, STR-42
    public void WriteBytes(Instant now, ref PacketWriter packet)
    {
        if (MostNeglected() is { } neglected)
            WriteRanges(ref packet, neglected);
        foreach (ClassState shared in table.Classes)
        {
            WriteRanges(ref packet, shared);
            if (shared.Class == StreamClass.Control)
                datagrams.Write(now, ref packet);
        }
    }

    /// <summary>The peer has a frame. Ranges that continue one another are looked at together, at the latest in <see cref="HandleAckedAll"/>.</summary>
    public void HandleAcked(in SentFrame frame)
    {
        if (frame.Kind == SentFrameKind.Stream && frame.Subject == _acked.Subject && _acked.Kind == SentFrameKind.Stream
            && frame.Offset == _acked.Offset + (ulong)_acked.Length && !_acked.IsFinal)
        {
            _acked = _acked with { Length = _acked.Length + frame.Length, IsFinal = frame.IsFinal };
            return;
        }

        HandleAckedAll();
        _acked = frame;
    }

    /// <summary>Does what the acknowledged frames lead to.</summary>
    public void HandleAckedAll()
    {
        SentFrame frame = _acked;
        _acked = default;
        if (!TryGet(frame, out DuplexStream? stream))
            return;
        if (frame.Kind == SentFrameKind.Stream && stream.Send.HandleAcked(RangeOf(frame), frame.IsFinal))
            events.Add(stream.Writable);
        else if (frame.Kind == SentFrameKind.ResetStream)
            stream.Send.HandleResetAcked();
        table.ForgetIfOver(stream);
    }

    /// <summary>A frame has to be sent again, if it still matters.</summary>
    public void HandleLost(in SentFrame frame)
    {
        if (frame.Kind == SentFrameKind.MaxData)
            table.Classes[(int)frame.Subject].HandleCreditLost();
        else if (frame.Kind == SentFrameKind.MaxStreams)
            table.Classes[(int)frame.Subject].HandleLimitLost();
        else if (TryGet(frame, out DuplexStream? stream))
        {
            HandleLost(stream, frame);
            table.Schedule(stream);
        }
    }

    private static void HandleLost(DuplexStream stream, in SentFrame frame)
    {
        switch (frame.Kind)
        {
            case SentFrameKind.Stream:
                stream.Send.HandleLost(RangeOf(frame), frame.IsFinal);
                break;
            case SentFrameKind.ResetStream:
                stream.Send.HandleResetLost();
                break;
            case SentFrameKind.StopSending:
                stream.Receive.HandleStopLost();
                break;
            case SentFrameKind.MaxStreamData:
                stream.Receive.HandleCreditLost();
                break;
        }
    }

    // A class that better ones have kept waiting for long has the first word once.
    // spec: STR-42
    private ClassState? MostNeglected()
    {
        ClassState? neglected = null;
        foreach (ClassState shared in table.Classes)
        {
            if (shared.PacketsWaited >= ClassState.MaxPacketsWaited && !shared.Ready.IsEmpty)
                neglected = shared;
        }

        return neglected;
    }

    private void WriteRanges(ref PacketWriter packet, ClassState shared)
    {
        if (shared.Ready.IsEmpty)
            return;
        shared.PacketsWaited++;
        while (packet.Room >= MinRoom && shared.Ready.First is { } stream)
        {
            WriteRange(ref packet, shared, stream);
            shared.PacketsWaited = 0;
        }
    }

    private void WriteClassLimits(ref PacketWriter packet)
    {
        foreach (ClassState shared in table.Classes)
        {
            if (shared.IsCreditPending && packet.Room >= MaxDataFrame.MaxLength)
            {
                new MaxDataFrame(shared.Class, shared.TakeCredit(_now, _roundTrip)).Write(ref packet.Frames);
                packet.Record(new(SentFrameKind.MaxData, (ulong)shared.Class));
            }

            if (shared.IsLimitPending && packet.Room >= MaxStreamsFrame.MaxLength)
            {
                new MaxStreamsFrame(shared.Class, shared.TakeLimit()).Write(ref packet.Frames);
                packet.Record(new(SentFrameKind.MaxStreams, (ulong)shared.Class));
            }
        }
    }

    private void WriteControl(ref PacketWriter packet)
    {
        const int Needed = ResetStreamFrame.MaxLength + StopSendingFrame.MaxLength + MaxStreamDataFrame.MaxLength;
        while (packet.Room >= Needed && table.ControlQueue.TryDequeue(out DuplexStream? stream))
        {
            stream.IsControlQueued = false;
            if (table.TryGet(stream.Id, out _))
                WriteControl(ref packet, stream);
        }
    }

    private void WriteControl(ref PacketWriter packet, DuplexStream stream)
    {
        if (stream.Send is { IsResetPending: true, ResetCode: { } resetCode })
        {
            new ResetStreamFrame(stream.Id, resetCode, stream.Send.SentLength).Write(ref packet.Frames);
            packet.Record(new(SentFrameKind.ResetStream, stream.Id.Value));
            stream.Send.TakeReset();
        }

        if (stream.Receive is { IsStopPending: true, StopCode: { } stopCode })
        {
            new StopSendingFrame(stream.Id, stopCode).Write(ref packet.Frames);
            packet.Record(new(SentFrameKind.StopSending, stream.Id.Value));
            stream.Receive.TakeStop();
        }

        if (stream.Receive.IsCreditPending)
        {
            new MaxStreamDataFrame(stream.Id, stream.Receive.TakeCredit(_now, _roundTrip)).Write(ref packet.Frames);
            packet.Record(new(SentFrameKind.MaxStreamData, stream.Id.Value));
        }
    }

    private void WriteRange(ref PacketWriter packet, ClassState shared, DuplexStream stream)
    {
        int room = packet.Room - StreamFrame.OverheadOf(stream.Id, stream.Send.NextOffset);
        if (stream.Send.TryTake(room, shared.SendCredit, out StreamRange range, out bool isFinal))
        {
            int length = (int)range.Length;
            StreamFrame.WriteHead(ref packet.Frames, stream.Id, range.Start, length, isFinal);
            stream.Send.CopyTo(range.Start, packet.Frames.Free[..length]);
            packet.Frames.Advance(length);
            packet.Record(new(SentFrameKind.Stream, stream.Id.Value, range.Start, length, isFinal));
        }

        if (++stream.RangesInTurn >= stream.Weight)
        {
            stream.RangesInTurn = 0;
            shared.Ready.Rotate();
        }

        table.Schedule(stream);
    }

    private bool TryGet(in SentFrame frame, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DuplexStream? stream)
    {
        stream = null;
        return frame.Kind is > SentFrameKind.None and <= SentFrameKind.MaxStreamData && StreamId.TryFrom(frame.Subject, out StreamId id)
            && table.TryGet(id, out stream);
    }

    private static StreamRange RangeOf(in SentFrame frame) => new(frame.Offset, frame.Offset + (ulong)frame.Length);
}
