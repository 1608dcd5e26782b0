using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>Datagrams that wait to be sent, in slots that are used again and again. Oldest first. Loop only.</summary>
internal sealed class DatagramRing(int capacity)
{
    /// <summary>Room for one datagram. Nothing that we answer or relay is longer.</summary>
    public const int SlotSize = 2048;

    private readonly byte[] _bytes = new byte[capacity * SlotSize];
    private readonly int[] _lengths = new int[capacity];
    private readonly NetworkAddress[] _destinations = new NetworkAddress[capacity];
    private int _first;
    private int _count;

    /// <summary>Datagrams that it has room for.</summary>
    public int FreeSlots => capacity - _count;

    /// <summary>Is there no free slot?</summary>
    public bool IsFull => _count == capacity;

    /// <summary>The slot that the next <see cref="Add"/> takes. Not to be used when the ring is full.</summary>
    public Span<byte> Free => Slot((_first + _count) % capacity);

    /// <summary>Takes the first <paramref name="length"/> bytes of <see cref="Free"/> as a datagram.</summary>
    public void Add(int length, NetworkAddress destination)
    {
        int last = (_first + _count++) % capacity;
        _lengths[last] = length;
        _destinations[last] = destination;
    }

    /// <summary>Moves as many as fit into <paramref name="batch"/>.</summary>
    public void MoveTo(TransmitBatch batch)
    {
        for (; _count > 0 && !batch.IsFull; _count--, _first = (_first + 1) % capacity)
        {
            Slot(_first)[.._lengths[_first]].CopyTo(batch.Free);
            batch.Join(_lengths[_first], _destinations[_first]);
        }
    }

    private Span<byte> Slot(int index) => _bytes.AsSpan(index * SlotSize, SlotSize);
}
