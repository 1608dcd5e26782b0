namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// What was written to a stream and is not acknowledged yet, and which of it goes out next: lost ranges first, then
/// bytes that were never sent. Idempotent against late and repeated news from loss recovery. One owner.
/// </summary>
internal sealed class SendBuffer(SlabPool pool) : IDisposable
{
    private readonly SendPieces _pieces = new(pool);
    private readonly RangeSet _acked = new();
    private readonly RangeSet _lost = new();
    private ulong _base;

    /// <summary>The offset after the last byte written.</summary>
    public ulong End { get; private set; }

    /// <summary>The first offset that was never sent.</summary>
    public ulong Next { get; private set; }

    /// <summary>Where the range begins that <see cref="Take"/> takes next.</summary>
    public ulong NextOffset => HasLost ? _lost.First.Start : Next;

    /// <summary>What lies before this offset is acknowledged, and not kept.</summary>
    public ulong Released => _base;

    /// <summary>Bytes kept.</summary>
    public int Length => (int)(End - _base);

    /// <summary>Is there something to send again?</summary>
    public bool HasLost => !_lost.IsEmpty;

    /// <summary>Is everything written also acknowledged?</summary>
    public bool IsAcknowledged => _base == End;

    /// <summary>Copies <paramref name="data"/> behind what is there; the caller keeps its limit.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        _pieces.Append(End, data);
        End += (ulong)data.Length;
    }

    /// <summary>Puts <paramref name="data"/> behind what is there, without a copy if that can be; it stays as it is until <see cref="Released"/> has passed it.</summary>
    public void Lend(ReadOnlyMemory<byte> data)
    {
        if (!_pieces.TryLend(End, data))
            _pieces.Append(End, data.Span);
        End += (ulong)data.Length;
    }

    /// <summary>
    /// Takes the range to send next, at most <paramref name="maxLength"/> long; a new range ends at
    /// <paramref name="freshLimit"/> at the latest. Empty when there is none.
    /// </summary>
    public StreamRange Take(int maxLength, ulong freshLimit)
    {
        if (HasLost)
        {
            StreamRange lost = _lost.First;
            lost = lost with { End = Math.Min(lost.End, lost.Start + (ulong)maxLength) };
            _lost.Remove(lost);
            return lost;
        }

        ulong end = Math.Min(Math.Min(End, freshLimit), Next + (ulong)maxLength);
        StreamRange fresh = new(Next, Math.Max(Next, end));
        Next = fresh.End;
        return fresh;
    }

    /// <summary>Copies bytes of a range that was taken and is not acknowledged.</summary>
    public void CopyTo(ulong offset, Span<byte> destination) => _pieces.CopyTo(offset, destination);

    /// <summary>The peer has this range.</summary>
    public void HandleAcked(StreamRange range)
    {
        if (!_lost.IsEmpty)
            _lost.Remove(range);
        if (range.Start <= _base && _acked.IsEmpty)
            _base = Math.Max(_base, range.End);
        else
            Merge(range);
        _pieces.Release(_base);
    }

    /// <summary>This range has to be sent again, except for what was acknowledged meanwhile.</summary>
    public void HandleLost(StreamRange range)
    {
        range = range with { Start = Math.Max(range.Start, _base) };
        if (range.IsEmpty)
            return;
        _lost.Add(range);
        for (ulong from = range.Start; _acked.TryFindEndingAfter(from, out StreamRange acked) && acked.Start < range.End; from = acked.End)
            _lost.Remove(acked);
    }

    /// <summary>Forgets everything that is kept; <see cref="Next"/> stays as the record of what was sent.</summary>
    public void Discard()
    {
        _base = End = Next;
        _acked.Clear();
        _lost.Clear();
        _pieces.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => _pieces.Dispose();

    private void Merge(StreamRange acked)
    {
        _acked.Add(acked with { Start = Math.Max(acked.Start, _base) });
        while (!_acked.IsEmpty && _acked.First.Start <= _base)
        {
            _base = Math.Max(_base, _acked.First.End);
            _acked.Remove(_acked.First);
        }
    }
}
