using System.Diagnostics;
using System.Numerics;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Bytes of a stream addressed by their offset in the stream, in slabs of a pool: it holds memory only where bytes were
/// written, and gives it back as they are released. The owner says which offsets are in use. One owner, who disposes it.
/// </summary>
internal sealed class SlabRing(SlabPool pool) : IDisposable
{
    private const int MinTable = 4;

    // The slab of number n stands at n modulo the length, which is a power of two.
    private byte[]?[] _table = [];
    private ulong _first;
    private ulong _end;

    /// <summary>Writes at <paramref name="offset"/>, which is not below what was released.</summary>
    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        Debug.Assert(offset / SlabPool.SlabSize >= _first);
        while (!data.IsEmpty)
        {
            Span<byte> piece = Piece(SlabForWriting(offset / SlabPool.SlabSize), offset, data.Length);
            data[..piece.Length].CopyTo(piece);
            data = data[piece.Length..];
            offset += (ulong)piece.Length;
        }
    }

    /// <summary>Copies the bytes from <paramref name="offset"/> on, which were written.</summary>
    public void CopyTo(ulong offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            ReadOnlySpan<byte> piece = Piece(SlabAt(offset), offset, destination.Length);
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
            offset += (ulong)piece.Length;
        }
    }

    /// <summary>Are the bytes from <paramref name="offset"/> on, which were written, these?</summary>
    public bool Holds(ulong offset, ReadOnlySpan<byte> expected)
    {
        while (!expected.IsEmpty)
        {
            ReadOnlySpan<byte> piece = Piece(SlabAt(offset), offset, expected.Length);
            if (!piece.SequenceEqual(expected[..piece.Length]))
                return false;
            expected = expected[piece.Length..];
            offset += (ulong)piece.Length;
        }

        return true;
    }

    /// <summary>Nothing below <paramref name="offset"/> is needed any more, and with <paramref name="isEmpty"/> nothing above it either.</summary>
    public void Release(ulong offset, bool isEmpty)
    {
        ulong first = offset / SlabPool.SlabSize;
        ulong end = isEmpty ? _end : Math.Min(first, _end);
        for (ulong number = _first; number < end; number++)
            Return(ref _table[Index(number)]);
        _first = first;
        _end = isEmpty ? first : _end;
    }

    /// <summary>Gives all slabs back; the ring is empty and may be used again for higher offsets.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _table.Length; i++)
            Return(ref _table[i]);
        _table = [];
        _end = _first;
    }

    private void Return(ref byte[]? slab)
    {
        if (slab is not null)
            pool.Return(slab);
        slab = null;
    }

    private byte[] SlabAt(ulong offset) => _table[Index(offset / SlabPool.SlabSize)]!;

    private byte[] SlabForWriting(ulong number)
    {
        if (number - _first >= (ulong)_table.Length)
            Grow(number - _first + 1);
        _end = Math.Max(_end, number + 1);
        return _table[Index(number)] ??= pool.Rent();
    }

    private void Grow(ulong count)
    {
        byte[]?[] grown = new byte[]?[Math.Max(MinTable, (int)BitOperations.RoundUpToPowerOf2((uint)count))];
        for (ulong number = _first; number < _first + (ulong)_table.Length; number++)
            grown[number & (ulong)(grown.Length - 1)] = _table[Index(number)];
        _table = grown;
    }

    private int Index(ulong number) => (int)(number & (ulong)(_table.Length - 1));

    private static Span<byte> Piece(byte[] slab, ulong offset, int length)
    {
        int start = (int)(offset % SlabPool.SlabSize);
        return slab.AsSpan(start, Math.Min(length, SlabPool.SlabSize - start));
    }
}
