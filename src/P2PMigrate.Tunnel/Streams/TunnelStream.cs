using System.IO.Pipelines;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>
/// A stream of a session: two pipes, whose near ends the application uses and whose far ends the loop pumps. However
/// often the application flushes or reads, the stream stands in the loop's queue at most once.
/// </summary>
internal sealed class TunnelStream : ITunnelStream, IWish
{
    private readonly Action<IWish> _post;
    private readonly Action<TunnelStream, Instant> _attend;
    private readonly InboundPump _inbound;
    private readonly OutboundPump _outbound;
    private int _isQueued;
    private volatile int _weight = 1;

    /// <summary><paramref name="post"/> puts a wish into the loop's queue; <paramref name="attend"/> then runs on the loop.</summary>
    public TunnelStream(StreamId id, Action<IWish> post, Action<TunnelStream, Instant> attend)
    {
        Id = id;
        _post = post;
        _attend = attend;
        _inbound = new InboundPump(id, RequestAttention);
        _outbound = new OutboundPump(id, RequestAttention);
    }

    /// <summary>The stream's name in its session.</summary>
    public StreamId Id { get; }

    /// <inheritdoc/>
    public StreamPriority Priority => (StreamPriority)Id.Class;

    /// <inheritdoc/>
    public PipeReader Input => _inbound.Reader;

    /// <inheritdoc/>
    public PipeWriter Output => _outbound.Writer;

    /// <inheritdoc/>
    public int Weight
    {
        get => _weight;
        set
        {
            _weight = StreamWeight.Checked(value);
            RequestAttention();
        }
    }

    /// <summary>Are both directions over? Loop only.</summary>
    public bool IsDone => _inbound.IsDone && _outbound.IsDone;

    /// <summary>Does our direction hold bytes that the connection did not take yet? Loop only.</summary>
    public bool HasUnsent => _outbound.IsBlocked;

    /// <summary>Takes the peer's bytes as they come. Loop only.</summary>
    public IStreamReader Reader => _inbound;

    /// <summary>Loop only: moves the peer's bytes to the application.</summary>
    public long PumpIn(TunnelConnection connection, Instant now, bool everything = false) => _inbound.Pump(connection, now, everything);

    /// <summary>When <see cref="FlushIfDue"/> has something to do. Loop only.</summary>
    public Instant FlushDue => _inbound.FlushDue;

    /// <summary>Loop only: shows the application what has waited long enough.</summary>
    public void FlushIfDue(Instant now) => _inbound.FlushIfDue(now);

    /// <summary>Loop only: moves the application's bytes to the connection.</summary>
    public long PumpOut(TunnelConnection connection) => _outbound.Pump(connection);

    /// <summary>Loop only: the peer does not want our direction any more.</summary>
    public void EndOutput(TunnelException exception) => _outbound.EndWith(exception);

    /// <summary>Loop only: the session ended.</summary>
    public void EndWith(TunnelException exception)
    {
        _inbound.EndWith(exception);
        _outbound.EndWith(exception);
    }

    /// <inheritdoc/>
    void IWish.Fulfil(Instant now)
    {
        Interlocked.Exchange(ref _isQueued, 0);
        _attend(this, now);
    }

    /// <inheritdoc/>
    void IWish.Refuse()
    {
        // The loop told the stream when it ended: there is nothing left to pump.
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Abandon();
        return ValueTask.CompletedTask;
    }

    /// <summary>Completes what was not completed: our direction by a reset, the peer's by not wanting it.</summary>
    public void Abandon()
    {
        _outbound.Writer.Complete(new OperationCanceledException("the stream was given up before its output was completed"));
        _inbound.Reader.Complete();
    }

    private void RequestAttention()
    {
        if (Interlocked.Exchange(ref _isQueued, 1) == 0)
            _post(this);
    }
}
