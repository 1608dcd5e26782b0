using P2PMigrate.Protocol;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Tunnel.Datagrams;

/// <summary>
/// The application datagrams of a session over the network: the application fills one channel and empties the other, the
/// loop the other way round. However much is sent, it stands in the loop's queue at most once.
/// </summary>
internal sealed class SessionDatagrams(TunnelConnection connection, Action<IWish> post) : ITunnelDatagrams, IWish
{
    private readonly DatagramChannel _outgoing = new();
    private readonly DatagramChannel _incoming = new();
    private readonly byte[] _buffer = new byte[TunnelConnection.MaxDatagramSize];
    private readonly Lock _countsLock = new();
    private AppDatagramStatistics _counts;
    private volatile int _maxSize;
    private int _isQueued;

    /// <inheritdoc/>
    public int MaxSize => _maxSize;

    /// <inheritdoc/>
    public DatagramStatistics Statistics
    {
        get
        {
            lock (_countsLock)
            {
                return new DatagramStatistics(
                    _counts.Sent, _counts.DroppedBeforeSending + _outgoing.Dropped, _counts.Received, _counts.DroppedUnread + _incoming.Dropped);
            }
        }
    }

    /// <inheritdoc/>
    public bool TrySend(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > _maxSize || !_outgoing.TryAdd(datagram))
            return false;
        Queue();
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken = default) =>
        _incoming.TakeAsync(destination, cancellationToken);

    /// <summary>Loop only: moves what arrived to the application.</summary>
    public void Deliver()
    {
        while (connection.TryReceiveDatagram(_buffer, out int length))
            _incoming.TryAdd(_buffer.AsSpan(0, length));
    }

    /// <summary>Loop only: shows what the path carries and what became of datagrams.</summary>
    public void Publish()
    {
        _maxSize = connection.MaxAppDatagram;
        AppDatagramStatistics counts = connection.AppDatagrams;
        if (counts == _counts)
            return;
        lock (_countsLock)
            _counts = counts;
    }

    /// <summary>Loop only: the session ended. What had arrived can still be taken.</summary>
    public void EndWith(TunnelException exception)
    {
        Deliver();
        Publish();
        _maxSize = 0;
        _outgoing.Complete(exception);
        _incoming.Complete(exception);
    }

    /// <inheritdoc/>
    void IWish.Fulfil(Instant now)
    {
        Interlocked.Exchange(ref _isQueued, 0);
        for (int left = DatagramChannel.Capacity; left > 0; left--)
        {
            if (!_outgoing.TryTake(_buffer, out int length))
                return;
            connection.TrySendDatagram(now, _buffer.AsSpan(0, length));
        }

        // Application threads may refill it as fast as it is emptied: the rest of the loop comes first.
        Queue();
    }

    /// <inheritdoc/>
    void IWish.Refuse()
    {
        // The loop ended the session when it ended.
    }

    private void Queue()
    {
        if (Interlocked.Exchange(ref _isQueued, 1) == 0)
            post(this);
    }
}
