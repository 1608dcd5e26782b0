namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>What the parts of a client have ready for the driver. One owner.</summary>
internal sealed class ClientOutbox
{
    /// <summary>Events, and datagrams, that wait at most; a driver that drains never sees the limit.</summary>
    public const int Capacity = 256;

    private readonly Queue<byte[]> _datagrams = [];
    private readonly Queue<RendezvousEvent> _events = [];

    /// <summary>Where messages are written before <see cref="Send"/>.</summary>
    public byte[] Buffer { get; } = new byte[RendezvousHeader.MaxSize];

    /// <summary>Queues the first <paramref name="length"/> bytes of <see cref="Buffer"/>.</summary>
    public void Send(int length)
    {
        if (_datagrams.Count < Capacity)
        {
            _datagrams.Enqueue(Buffer[..length]);
        }
    }

    /// <summary>Queues an event; false when nobody drains.</summary>
    public bool TryRaise(RendezvousEvent rendezvousEvent)
    {
        bool hasRoom = _events.Count < Capacity;
        if (hasRoom)
        {
            _events.Enqueue(rendezvousEvent);
        }

        return hasRoom;
    }

    /// <summary>The next datagram.</summary>
    public bool TryTakeDatagram(Span<byte> buffer, out int length)
    {
        bool isThere = _datagrams.TryDequeue(out byte[]? datagram);
        datagram?.CopyTo(buffer);
        length = datagram?.Length ?? 0;
        return isThere;
    }

    /// <summary>The next event.</summary>
    public RendezvousEvent? TakeEvent() => _events.TryDequeue(out RendezvousEvent? next) ? next : null;
}
