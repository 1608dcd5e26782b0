using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// Events that the owner has not polled yet, oldest first. Bounded, because what repeats is merged: a stream is readable
/// once, an address is observed once per socket. One owner.
/// </summary>
internal sealed class EventQueue
{
    private readonly Queue<(TunnelEvent Event, DuplexStream? Stream)> _pending = new();
    private readonly Dictionary<LocalInterface, NetworkAddress> _observed = [];
    private bool _isComplete;

    /// <summary>Events that wait.</summary>
    public int Count => _pending.Count;

    /// <summary>Adds an event.</summary>
    public void Add(TunnelEvent tunnelEvent)
    {
        if (!_isComplete)
            _pending.Enqueue((tunnelEvent, null));
    }

    /// <summary>Adds the last event.</summary>
    public void Complete(ConnectionClosed tunnelEvent)
    {
        Add(tunnelEvent);
        _isComplete = true;
    }

    /// <summary>There is something to read; merged with the same news that waits already.</summary>
    public void AddReadable(DuplexStream stream)
    {
        if (_isComplete || stream.IsReadableQueued)
            return;
        stream.IsReadableQueued = true;
        _pending.Enqueue((stream.Readable, stream));
    }

    /// <summary>The peer saw us at this address; news only when it differs from the last one.</summary>
    public void AddObserved(LocalInterface local, NetworkAddress address)
    {
        if (_observed.TryGetValue(local, out NetworkAddress last) && last == address)
            return;
        _observed[local] = address;
        Add(new AddressObserved(local, address));
    }

    /// <summary>Takes the oldest event.</summary>
    public bool TryTake([NotNullWhen(true)] out TunnelEvent? tunnelEvent)
    {
        bool isTaken = _pending.TryDequeue(out (TunnelEvent Event, DuplexStream? Stream) first);
        tunnelEvent = isTaken ? first.Event : null;
        if (first.Stream is { } stream)
            stream.IsReadableQueued = false;
        return isTaken;
    }
}
