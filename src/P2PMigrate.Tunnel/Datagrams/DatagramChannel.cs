using System.Buffers;
using System.Threading.Channels;

namespace P2PMigrate.Tunnel.Datagrams;

/// <summary>
/// Datagrams on their way from one thread to another, in rented arrays. Bounded: the oldest give way. Any thread adds and
/// takes.
/// </summary>
internal sealed class DatagramChannel
{
    /// <summary>Datagrams that wait.</summary>
    // spec: CONST-142
    public const int Capacity = 256;

    private readonly Channel<Rented> _waiting;
    private long _dropped;

    /// <summary>An empty one.</summary>
    public DatagramChannel() =>
        _waiting = Channel.CreateBounded<Rented>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest }, Drop);

    /// <summary>Datagrams that gave way.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Adds a copy; false after <see cref="Complete"/>.</summary>
    public bool TryAdd(ReadOnlySpan<byte> datagram)
    {
        byte[] array = ArrayPool<byte>.Shared.Rent(datagram.Length);
        datagram.CopyTo(array);
        bool isAdded = _waiting.Writer.TryWrite(new Rented(array, datagram.Length));
        if (!isAdded)
            ArrayPool<byte>.Shared.Return(array);
        return isAdded;
    }

    /// <summary>Takes the oldest; what does not fit into <paramref name="destination"/> is cut off.</summary>
    public bool TryTake(Span<byte> destination, out int length)
    {
        length = 0;
        if (!_waiting.Reader.TryRead(out Rented datagram))
            return false;
        length = Math.Min(destination.Length, datagram.Length);
        datagram.Array.AsSpan(0, length).CopyTo(destination);
        ArrayPool<byte>.Shared.Return(datagram.Array);
        return true;
    }

    /// <summary>Waits for one and takes it. Throws what <see cref="Complete"/> was given once nothing is left.</summary>
    public async ValueTask<int> TakeAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int length;
        try
        {
            while (!TryTake(destination.Span, out length))
            {
                if (!await _waiting.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                    throw new TunnelException(TunnelFailure.Closed, "The session has ended.");
            }
        }
        catch (TunnelException end)
        {
            throw new TunnelException(end.Reason, end.Message, end);
        }

        return length;
    }

    /// <summary>Nothing more comes.</summary>
    public void Complete(TunnelException reason) => _waiting.Writer.TryComplete(reason);

    private void Drop(Rented datagram)
    {
        Interlocked.Increment(ref _dropped);
        ArrayPool<byte>.Shared.Return(datagram.Array);
    }

    private readonly record struct Rented(byte[] Array, int Length);
}
