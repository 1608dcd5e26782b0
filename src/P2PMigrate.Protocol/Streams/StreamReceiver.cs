using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// What the peer says about streams. Each method returns the error code with which the session has to be closed, or
/// <see cref="TunnelErrorCode.None"/>. Frames for streams that are forgotten change nothing.
/// </summary>
internal sealed class StreamReceiver(StreamTable table, EventQueue events)
{
    /// <summary>Bytes, or the end.</summary>
    public ulong Handle(in StreamFrame frame)
    {
        ulong error = table.Resolve(frame.Stream, out DuplexStream? stream);
        if (stream is null)
            return error;
        error = stream.Receive.HandleData(frame, out bool isNews);
        if (isNews)
            events.AddReadable(stream);
        AfterReceive(stream); // What its reader took gives credit at once.
        return error;
    }

    /// <summary>The peer gave up its direction.</summary>
    public ulong Handle(in ResetStreamFrame frame)
    {
        ulong error = table.Resolve(frame.Stream, out DuplexStream? stream);
        if (stream is null)
            return error;
        error = stream.Receive.HandleReset(frame, out bool isNews);
        if (isNews)
        {
            events.Add(new StreamReset(stream.Id, frame.Code));
            events.AddReadable(stream);
        }

        AfterReceive(stream);
        return error;
    }

    /// <summary>The peer does not want the rest of our direction.</summary>
    public ulong Handle(in StopSendingFrame frame)
    {
        ulong error = table.Resolve(frame.Stream, out DuplexStream? stream);
        if (stream is not null && stream.Send.TryStop(frame.Code))
        {
            events.Add(new StreamStopped(stream.Id, frame.Code));
            table.Schedule(stream);
        }

        return error;
    }

    /// <summary>Credit for a stream.</summary>
    public ulong Handle(in MaxStreamDataFrame frame)
    {
        ulong error = table.Resolve(frame.Stream, out DuplexStream? stream);
        if (stream is not null && stream.Send.TryRaiseCredit(frame.Limit))
            table.Schedule(stream);
        return error;
    }

    /// <summary>Credit for a class.</summary>
    public void Handle(in MaxDataFrame frame) => table.Classes[(int)frame.Class].RaiseCredit(frame.Limit);

    /// <summary>More streams of a class.</summary>
    public void Handle(in MaxStreamsFrame frame)
    {
        if (table.Classes[(int)frame.Class].TryRaiseLimit(frame.Limit))
            events.Add(new StreamsAvailable(frame.Class));
    }

    private void AfterReceive(DuplexStream stream)
    {
        table.ScheduleControl(stream);
        table.ForgetIfOver(stream);
    }
}
