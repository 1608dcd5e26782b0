using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// A store into which content is still coming, for somebody who uses it meanwhile: what is known to be on its way is waited for. A source sends chunks in order of
/// the catalogue and leaves out what is stale; so what comes before a chunk that has come, and has not come, will not. One thread announces, writes and ends; any may
/// read. Does not own the store. Chapter 10, section 9.
/// </summary>
// spec: SNAP-115
public sealed class ArrivingChunks(IChunkStore store) : IChunkStore
{
    /// <summary>Bytes of what came last that are at hand without reading the store.</summary>
    // spec: CONST-423
    public const int FreshMax = 16 << 20;

    private readonly object _lock = new(); // a Monitor, which can be waited on
    private readonly Dictionary<ChunkId, EncodedChunk> _fresh = []; // guarded by _lock
    private readonly Queue<ChunkId> _age = new();                   // guarded by _lock
    private Dictionary<ChunkId, int> _places = [];                  // guarded by _lock: of what was announced
    private int _passed;                                            // guarded by _lock: places that nothing more will come for
    private long _freshLength;                                      // guarded by _lock

    /// <inheritdoc/>
    public int Count => store.Count;

    /// <summary>The chunks that <paramref name="demand"/> wants are on their way from now on, until <see cref="End"/>.</summary>
    public void Begin(ChunkDemand demand)
    {
        Dictionary<ChunkId, int> places = [];
        foreach (ChunkLocation location in demand.Wanted)
            places.Add(location.Chunk, places.Count);
        lock (_lock)
            (_places, _passed) = (places, 0);
    }

    /// <summary>Nothing more comes: whoever waits goes on with what there is.</summary>
    public void End()
    {
        lock (_lock)
        {
            _places = [];
            _fresh.Clear();
            _age.Clear();
            _freshLength = 0;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until the chunk has come, or cannot come any more. False when it is not there then.</summary>
    public bool Contains(in ChunkId id)
    {
        lock (_lock)
        {
            while (_places.TryGetValue(id, out int place) && place >= _passed)
                Monitor.Wait(_lock);
        }

        return store.Contains(id);
    }

    /// <inheritdoc/>
    public bool TryWrite(in EncodedChunk chunk, [NotNullWhen(false)] out string? reason)
    {
        bool isGood = store.TryWrite(chunk, out reason);
        lock (_lock)
        {
            if (isGood && _places.TryGetValue(chunk.Id, out int place))
            {
                KeepAtHand(chunk);
                _passed = Math.Max(_passed, place + 1);
                Monitor.PulseAll(_lock);
            }
        }

        return isGood;
    }

    /// <inheritdoc/>
    public bool TryRead(in ChunkId id, Span<byte> destination, out int length)
    {
        EncodedChunk fresh;
        lock (_lock)
        {
            if (!_fresh.TryGetValue(id, out fresh))
                return store.TryRead(id, destination, out length);
        }

        length = fresh.Length;
        if (!fresh.IsRaw)
            return fresh.TryDecode(destination, out _);
        fresh.Payload.Span.CopyTo(destination); // verified when it came, and nowhere since but here
        return true;
    }

    private void KeepAtHand(in EncodedChunk chunk)
    {
        if (!_fresh.TryAdd(chunk.Id, chunk))
            return;
        _age.Enqueue(chunk.Id);
        _freshLength += chunk.Payload.Length;
        while (_freshLength > FreshMax && _fresh.Remove(_age.Dequeue(), out EncodedChunk oldest))
            _freshLength -= oldest.Payload.Length;
    }
}
