using System.Diagnostics;
using System.Runtime.InteropServices;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Bytes of a stream on their way out, addressed by their offset in the stream: pieces of somebody's memory, lent until they are
/// released, and copies in slabs of a pool. What is released goes from the front. One owner, who disposes it.
/// </summary>
// spec: STR-27
internal sealed class SendPieces(SlabPool pool) : IDisposable
{
    private const int MinTable = 4;

    // Piece number n stands at n modulo the length, which is a power of two.
    private Piece[] _table = [];
    private int _first;
    private int _next;
    private int _found;

    /// <summary>Appends what begins at <paramref name="offset"/>, which is where the last piece ends, as a copy.</summary>
    public void Append(ulong offset, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (!HasRoomInSlab)
                Add(new Piece { Start = offset, Bytes = pool.Rent(), IsSlab = true });
            ref Piece last = ref At(_next - 1);
            int length = Math.Min(data.Length, SlabPool.SlabSize - last.Length);
            data[..length].CopyTo(last.Bytes.AsSpan(last.Length));
            last.Length += length;
            data = data[length..];
            offset += (ulong)length;
        }
    }

    /// <summary>The same without a copy, when the memory is an array's: false when it is not, and nothing has happened.</summary>
    public bool TryLend(ulong offset, ReadOnlyMemory<byte> data)
    {
        if (!MemoryMarshal.TryGetArray(data, out ArraySegment<byte> lent) || lent.Array is null)
            return false;
        if (_next > _first && At(_next - 1) is { IsSlab: false } last && last.Bytes == lent.Array && last.At + last.Length == lent.Offset)
            At(_next - 1).Length += lent.Count; // Bytes that were flushed one by one lie in one block.
        else if (lent.Count > 0)
            Add(new Piece { Start = offset, Bytes = lent.Array, At = lent.Offset, Length = lent.Count });
        return true;
    }

    /// <summary>Copies the bytes from <paramref name="offset"/> on, which are there.</summary>
    public void CopyTo(ulong offset, Span<byte> destination)
    {
        if (destination.IsEmpty)
            return; // The end of a stream stands alone in a frame, and nothing need be there.
        int number = Find(offset);
        while (!destination.IsEmpty)
        {
            ref Piece piece = ref At(number++);
            int start = (int)(offset - piece.Start);
            int length = Math.Min(destination.Length, piece.Length - start);
            piece.Bytes.AsSpan(piece.At + start, length).CopyTo(destination);
            destination = destination[length..];
            offset += (ulong)length;
        }
    }

    /// <summary>Nothing below <paramref name="offset"/> is needed any more.</summary>
    public void Release(ulong offset)
    {
        while (_first != _next && At(_first).End <= offset)
            Forget(ref At(_first++));
    }

    /// <summary>Forgets everything; may be used again for higher offsets.</summary>
    public void Dispose()
    {
        while (_first != _next)
            Forget(ref At(_first++));
        _table = [];
    }

    private bool HasRoomInSlab => _next != _first && At(_next - 1) is { IsSlab: true, Length: < SlabPool.SlabSize };

    private ref Piece At(int number) => ref _table[number & (_table.Length - 1)];

    // Mostly the piece of the last time, or the next one.
    private int Find(ulong offset)
    {
        int low = _first, high = _next - 1;
        for (int near = Math.Max(_found, low); near <= Math.Min(_found + 1, high); near++)
        {
            if (At(near).Holds(offset))
                return _found = near;
        }

        while (low < high)
        {
            int middle = low + (high - low + 1) / 2;
            if (At(middle).Start <= offset)
                low = middle;
            else
                high = middle - 1;
        }

        Debug.Assert(At(low).Holds(offset));
        return _found = low;
    }

    private void Add(in Piece piece)
    {
        if (_next - _first == _table.Length)
            Grow();
        At(_next++) = piece;
    }

    private void Forget(ref Piece piece)
    {
        if (piece.IsSlab)
            pool.Return(piece.Bytes);
        piece = default;
    }

    private void Grow()
    {
        Piece[] grown = new Piece[Math.Max(MinTable, _table.Length * 2)];
        for (int number = _first; number < _next; number++)
            grown[number - _first] = At(number);
        (_table, _next, _found, _first) = (grown, _next - _first, Math.Max(0, _found - _first), 0);
    }

    private struct Piece
    {
        public ulong Start;
        public byte[] Bytes;
        public int At;
        public int Length;
        public bool IsSlab;

        public readonly ulong End => Start + (ulong)Length;

        public readonly bool Holds(ulong offset) => offset >= Start && offset < End;
    }
}
