namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Puts the ranges of a stream, in whatever order and however often they arrive, back into a sequence. The caller has
/// checked that a range fits into the window. One owner.
/// </summary>
internal sealed class ReceiveBuffer(SlabPool pool) : IDisposable
{
    /// <summary>Separate ranges that are kept; a peer that causes more is at fault.</summary>
    // spec: CONST-31
    public const int MaxRanges = 32768;

    /// <summary>
    /// Most of them that are shorter than <see cref="RangeSet.ShortLength"/>: each has to be put in its place among the
    /// others, which so few bytes are not worth.
    /// </summary>
    // spec: CONST-182
    public const int MaxShortRanges = 2048;

    private readonly SlabRing _ring = new(pool);
    private readonly RangeSet _received = new();

    /// <summary>The offset of the next byte to read.</summary>
    public ulong ReadOffset { get; private set; }

    /// <summary>Takes bytes that come in their order, if there is somebody to take them.</summary>
    public IStreamReader? Reader { get; set; }

    /// <summary>Bytes that can be read now.</summary>
    public int Readable => _received.IsEmpty || _received.First.Start > ReadOffset ? 0 : (int)(_received.First.End - ReadOffset);

    /// <summary>
    /// Copies the bytes in. False when bytes that were received before, and not read yet, come again and differ, or when
    /// there would be more than <see cref="MaxRanges"/> ranges, or too many short ones.
    /// </summary>
    // spec: STR-10, STR-13, STR-15
    public bool TryInsert(ulong offset, ReadOnlySpan<byte> data)
    {
        ulong end = offset + (ulong)data.Length;
        if (end <= ReadOffset)
            return true;
        if (offset < ReadOffset)
        {
            data = data[(int)(ReadOffset - offset)..];
            offset = ReadOffset;
        }

        if (offset == ReadOffset && _received.IsEmpty && Reader is not null)
        {
            int taken = HandOver(data);
            if (taken == data.Length)
                return true;
            data = data[taken..];
            offset = ReadOffset;
        }

        if (!AgreesWithReceived(offset, data))
            return false;
        _ring.Write(offset, data);
        _received.Add(new(offset, end));
        return !IsShattered;
    }

    /// <summary>Copies the next bytes out and forgets them; returns how many.</summary>
    public int Read(Span<byte> destination)
    {
        int length = Math.Min(destination.Length, Readable);
        if (length == 0)
            return 0;
        _ring.CopyTo(ReadOffset, destination[..length]);
        _received.Remove(new(ReadOffset, ReadOffset + (ulong)length));
        ReadOffset += (ulong)length;
        _ring.Release(ReadOffset, _received.IsEmpty);
        return length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _received.Clear();
        _ring.Dispose();
    }

    private int HandOver(ReadOnlySpan<byte> data)
    {
        int taken = Reader!.Take(data);
        ReadOffset += (ulong)taken;
        _ring.Release(ReadOffset, isEmpty: true);
        return taken;
    }

    private bool IsShattered => _received.Count > MaxRanges || _received.ShortCount > MaxShortRanges;

    private bool AgreesWithReceived(ulong offset, ReadOnlySpan<byte> data)
    {
        StreamRange range = new(offset, offset + (ulong)data.Length);
        for (ulong from = offset; _received.TryFindEndingAfter(from, out StreamRange known) && known.Start < range.End; from = known.End)
        {
            StreamRange both = known.Intersect(range);
            if (!_ring.Holds(both.Start, data.Slice((int)(both.Start - offset), (int)both.Length)))
                return false;
        }

        return true;
    }
}
