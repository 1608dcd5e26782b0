using P2PMigrate.Tunnel.Datagrams;

namespace P2PMigrate.Tunnel.InMemory;

/// <summary>The application datagrams of an <see cref="InMemorySession"/>: nothing is lost but what nobody takes.</summary>
internal sealed class InMemoryDatagrams(DatagramChannel outgoing, DatagramChannel incoming) : ITunnelDatagrams
{
    private long _sent;

    /// <inheritdoc/>
    public int MaxSize => 1100;

    /// <inheritdoc/>
    public DatagramStatistics Statistics => new(Interlocked.Read(ref _sent), 0, 0, incoming.Dropped);

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
