namespace P2PMigrate.Protocol.Streams;

/// <summary>Both directions of one stream, and where the stream stands in the queues of the <see cref="StreamTable"/>.</summary>
internal sealed class DuplexStream(StreamId id, SendHalf send, ReceiveHalf receive) : IDisposable
{
    /// <summary>The most turns that a stream gets before the others of its class.</summary>
    // spec: CONST-140
    public const int MaxWeight = 16;

    /// <summary>The name of the stream.</summary>
    public StreamId Id => id;

    /// <summary>Our direction.</summary>
    public SendHalf Send => send;

    /// <summary>The peer's direction.</summary>
    public ReceiveHalf Receive => receive;

    /// <summary>The event of this stream, made once, because it comes with nearly every packet.</summary>
    public StreamReadable Readable { get; } = new(id);

    /// <summary>Made once as well.</summary>
    public StreamWritable Writable { get; } = new(id);

    /// <summary>Is <see cref="Readable"/> waiting to be polled?</summary>
    public bool IsReadableQueued { get; set; }

    /// <summary>Is it waiting for its reset, refusal or credit to be sent?</summary>
    public bool IsControlQueued { get; set; }

    /// <summary>Has it a reset, a refusal or credit to send?</summary>
    public bool WantsControl => send.IsResetPending || receive.IsStopPending || receive.IsCreditPending;

    /// <summary>Are both directions over?</summary>
    public bool IsOver => send.IsOver && receive.IsOver;

    /// <summary>How many ranges the stream sends in a row when it is its turn, from 1 to <see cref="MaxWeight"/>.</summary>
    public int Weight { get; set; } = 1;

    /// <summary>Ranges that it sent in this turn.</summary>
    public int RangesInTurn { get; set; }

    /// <summary>The queue that holds the stream, with its neighbours there; see <see cref="StreamQueue"/>.</summary>
    public StreamQueue? Queue { get; set; }

    /// <summary>The stream before it in the queue.</summary>
    public DuplexStream? Previous { get; set; }

    /// <summary>The stream after it in the queue.</summary>
    public DuplexStream? Next { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        send.Dispose();
        receive.Dispose();
    }
}
