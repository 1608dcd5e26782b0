using System.Diagnostics;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>What the parts of a server have ready for the driver. One owner.</summary>
internal sealed class ServerOutbox
{
    private readonly Queue<(NetworkAddress Destination, byte[] Datagram)> _outgoing = [];

    /// <summary>Where messages are written before <see cref="Send"/>.</summary>
    public byte[] Buffer { get; } = new byte[RendezvousHeader.MaxSize];

    /// <summary>Queues the first <paramref name="length"/> bytes of <see cref="Buffer"/>.</summary>
    public void Send(NetworkAddress destination, int length)
    {
        Debug.Assert(_outgoing.Count < 8, "The driver drains after every input.");
        _outgoing.Enqueue((destination, Buffer[..length]));
    }

    /// <summary>The next datagram.</summary>
    public bool TryTake(Span<byte> buffer, out NetworkAddress destination, out int length)
    {
        bool isThere = _outgoing.TryDequeue(out (NetworkAddress Destination, byte[] Datagram) next);
        destination = next.Destination;
        length = next.Datagram?.Length ?? 0;
        next.Datagram?.CopyTo(buffer);
        return isThere;
    }
}
