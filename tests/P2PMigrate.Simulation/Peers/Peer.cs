using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Simulation.Peers;

/// <summary>
/// One side: the connection, what its application has been told, and the streams that it writes and reads. The
/// application behaves as the contract of <see cref="TunnelConnection"/> asks.
/// </summary>
public sealed class Peer(int index, TunnelConnection connection)
{
    private readonly Dictionary<StreamId, Action> _whenAccepted = [];

    public int Index => index;

    public TunnelConnection Connection => connection;

    /// <summary>A dead process: it neither sends nor hears.</summary>
    public bool IsDead { get; set; }

    /// <summary>Does the application read what arrives?</summary>
    public bool IsReading { get; set; } = true;

    /// <summary>All events so far, stream events left out.</summary>
    public List<TunnelEvent> Events { get; } = [];

    /// <summary>Streams that the peer opened and this one was told of, in that order.</summary>
    public List<StreamId> Accepted { get; } = [];

    /// <summary>What this side writes.</summary>
    public Dictionary<StreamId, OutgoingStream> Outgoing { get; } = [];

    /// <summary>What this side reads.</summary>
    public Dictionary<StreamId, IncomingStream> Incoming { get; } = [];

    public CloseReason? Closed => Events.OfType<ConnectionClosed>().SingleOrDefault()?.Reason;

    public PathKind? PathKind => connection.PrimaryPath?.Kind;

    /// <summary>Opens a stream that will carry so many bytes of its pattern, and starts to write.</summary>
    public StreamId Open(StreamClass streamClass, long length, ulong? resetAt = null)
    {
        if (!connection.TryOpenStream(streamClass, out StreamId id))
            throw new InvalidOperationException("No stream can be opened.");
        Expect(id);
        Send(id, length, resetAt);
        return id;
    }

    /// <summary>Writes so many bytes of the pattern to our direction of a stream, then finishes it, or resets it at an offset.</summary>
    public void Send(StreamId id, long length, ulong? resetAt = null)
    {
        OutgoingStream stream = new(id, KeyOf(id, index % 2), (ulong)length, resetAt);
        Outgoing.Add(id, stream);
        stream.Pump(connection);
    }

    /// <summary>Reads and checks what the other side writes to a stream.</summary>
    public IncomingStream Expect(StreamId id)
    {
        if (!Incoming.TryGetValue(id, out IncomingStream? stream))
            Incoming.Add(id, stream = new(id, KeyOf(id, 1 - index % 2)));
        return stream;
    }

    /// <summary>Does something when the peer's stream is there, or now if it is.</summary>
    public void WhenAccepted(StreamId id, Action action)
    {
        if (Accepted.Contains(id))
            action();
        else
            _whenAccepted.Add(id, action);
    }

    /// <summary>Takes all events and lets the application act on them.</summary>
    public void DrainEvents()
    {
        while (connection.TryPollEvent(out TunnelEvent? tunnelEvent))
            Handle(tunnelEvent);
    }

    /// <summary>Reads all streams as far as they go.</summary>
    public void ReadAll()
    {
        foreach (IncomingStream stream in Incoming.Values)
            stream.Pump(connection);
    }

    private void Handle(TunnelEvent tunnelEvent)
    {
        switch (tunnelEvent)
        {
            case StreamOpened opened:
                Accepted.Add(opened.Stream);
                connection.AcceptStream(opened.Stream);
                Expect(opened.Stream);
                if (_whenAccepted.Remove(opened.Stream, out Action? action))
                    action();
                break;
            case StreamReadable readable when IsReading:
                Expect(readable.Stream).Pump(connection);
                break;
            case StreamWritable writable when Outgoing.TryGetValue(writable.Stream, out OutgoingStream? stream):
                stream.Pump(connection);
                break;
            case StreamReadable or StreamWritable:
                break;
            default:
                Events.Add(tunnelEvent);
                break;
        }
    }

    private static ulong KeyOf(StreamId id, int writer) => id.Value * 2 + (ulong)writer;
}
