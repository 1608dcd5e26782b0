using P2PMigrate.Tunnel.Datagrams;

namespace P2PMigrate.Tunnel.InMemory;

/// <summary>The application datagrams of an <see cref="InMemorySession"/>: nothing is lost but what nobody takes.</summary>
internal sealed class InMemoryDatagrams(DatagramChannel outgoing, DatagramChannel incoming) : ITunnelDatagrams
{
    private long _sent;
    private InMemoryDatagrams? _peer;

    /// <inheritdoc/>
    public int MaxSize => 1100;

    /// <inheritdoc/>
    public DatagramStatistics Statistics => new(Sent, 0, _peer!.Sent, incoming.Dropped);

    private long Sent => Interlocked.Read(ref _sent);

    /// <summary>The two sides of a link: what one sends has arrived at the other.</summary>
    public static (InMemoryDatagrams First, InMemoryDatagrams Second) CreatePair()
    {
        DatagramChannel toFirst = new(), toSecond = new();
        var first = new InMemoryDatagrams(toSecond, toFirst);
        var second = new InMemoryDatagrams(toFirst, toSecond) { _peer = first };
        first._peer = second;
        return (first, second);
    }

    /// <inheritdoc/>
    public bool TrySend(ReadOnlySpan<byte> datagram)
    {
        bool isSent = datagram.Length <= MaxSize && outgoing.TryAdd(datagram);
        if (isSent)
            Interlocked.Increment(ref _sent);
        return isSent;
    }

    /// <inheritdoc/>
    public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken = default) =>
        incoming.TakeAsync(destination, cancellationToken);

    /// <summary>The session ended.</summary>
    public void EndWith(TunnelException exception)
    {
        outgoing.Complete(exception);
        incoming.Complete(exception);
    }
}
