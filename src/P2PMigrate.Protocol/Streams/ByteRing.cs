using System.Buffers;
using System.Numerics;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Bytes of a stream addressed by their offset in the stream, in one pooled array that is used as a ring. The owner says
/// which offsets are in use; the ring only makes sure that they fit and grows by doubling. One owner, who disposes it.
/// </summary>
internal sealed class ByteRing : IDisposable
{
    private const int MinCapacity = 4096;

    private byte[] _bytes = [];
    private int _capacity;

    /// <summary>Bytes that fit without growing.</summary>
    public int Capacity => _capacity;

    /// <summary>
    /// Makes room for <paramref name="needed"/>, whose start is also the smallest offset in use, keeping the bytes of
    /// <paramref name="used"/>.
    /// </summary>
    public void Reserve(StreamRange used, StreamRange needed)
    {
        if (needed.Length <= (ulong)_capacity)
            return;
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(MinCapacity, needed.Length));
        byte[] grown = ArrayPool<byte>.Shared.Rent(capacity);
        for (ulong offset = used.Start; offset < used.End;)
        {
            ReadOnlySpan<byte> piece = Piece(offset, used.End - offset);
            int target = (int)(offset & (ulong)(capacity - 1));
            int length = Math.Min(piece.Length, capacity - target);
            piece[..length].CopyTo(grown.AsSpan(target));
            offset += (ulong)length;
        }

        Dispose();
        (_bytes, _capacity) = (grown, capacity);
    }

    /// <summary>Writes at <paramref name="offset"/>; the room was reserved.</summary>
    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            Span<byte> piece = Piece(offset, (ulong)data.Length);
            data[..piece.Length].CopyTo(piece);
            data = data[piece.Length..];
            offset += (ulong)piece.Length;
        }
    }

    /// <summary>Copies the bytes from <paramref name="offset"/> on.</summary>
    public void CopyTo(ulong offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            ReadOnlySpan<byte> piece = Piece(offset, (ulong)destination.Length);
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
            offset += (ulong)piece.Length;
        }
    }

    /// <summary>Are the bytes from <paramref name="offset"/> on these?</summary>
    public bool Holds(ulong offset, ReadOnlySpan<byte> expected)
    {
        while (!expected.IsEmpty)
        {
            ReadOnlySpan<byte> piece = Piece(offset, (ulong)expected.Length);
            if (!piece.SequenceEqual(expected[..piece.Length]))
                return false;
            expected = expected[piece.Length..];
            offset += (ulong)piece.Length;
        }

        return true;
    }

    /// <summary>Gives the array back; the ring is empty and may be used again.</summary>
    public void Dispose()
    {
        if (_capacity > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _capacity) = ([], 0);
    }

    private Span<byte> Piece(ulong offset, ulong length)
    {
        int start = (int)(offset & (ulong)(_capacity - 1));
        return _bytes.AsSpan(start, (int)Math.Min(length, (ulong)(_capacity - start)));
    }
}
