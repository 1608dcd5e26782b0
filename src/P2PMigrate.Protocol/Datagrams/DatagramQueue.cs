using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Datagrams;

/// <summary>
/// Application datagrams in the order in which they came, in slabs of the session's pool. Holds so many bytes at most:
/// what is oldest gives way, because what is newest is worth more. One owner, who disposes it.
/// </summary>
internal sealed class DatagramQueue(SlabPool pool, int maxBytes) : IDisposable
{
    // An empty datagram costs a place in the queue too.
    private const int PlaceCost = 32;

    private readonly SlabRing _ring = new(pool);
    private readonly Queue<Entry> _entries = new();
    private ulong _end;
    private int _cost;

    /// <summary>Datagrams that wait.</summary>
    public int Count => _entries.Count;

    /// <summary>Bytes of the oldest; there is one.</summary>
    public int NextLength => _entries.Peek().Length;

    /// <summary>When the oldest was added; there is one.</summary>
    public Instant NextAddedAt => _entries.Peek().AddedAt;

    /// <summary>Datagrams that gave way or were dropped by <see cref="Drop"/>.</summary>
    public long Dropped { get; private set; }

    /// <summary>Adds a datagram behind the others.</summary>
    public void Add(Instant now, ReadOnlySpan<byte> data)
    {
        while (_entries.Count > 0 && _cost + data.Length + PlaceCost > maxBytes)
            Drop();
        _ring.Write(_end, data);
        _entries.Enqueue(new(_end, data.Length, now));
        _end += (ulong)data.Length;
        _cost += data.Length + PlaceCost;
    }

    /// <summary>Takes the oldest; <paramref name="destination"/> is as long as <see cref="NextLength"/>.</summary>
    public void Take(Span<byte> destination)
    {
        _ring.CopyTo(_entries.Peek().Offset, destination);
        Remove();
    }

    /// <summary>Forgets the oldest.</summary>
    public void Drop()
    {
        Dropped++;
        Remove();
    }

    /// <inheritdoc/>
    public void Dispose() => _ring.Dispose();

    private void Remove()
    {
        Entry entry = _entries.Dequeue();
        _cost -= entry.Length + PlaceCost;
        _ring.Release(entry.Offset + (ulong)entry.Length, _entries.Count == 0);
    }

    private readonly record struct Entry(ulong Offset, int Length, Instant AddedAt);
}
