using System.Buffers.Binary;

namespace P2PMigrate.Fuzz.Engine;

/// <summary>Changes inputs at random: bits, bytes, numbers that matter, pieces moved, repeated, removed or taken from another input.</summary>
internal sealed class Mutator(int seed)
{
    private const int MaxChanges = 6;

    private static readonly ulong[] s_numbers =
    [
        0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xFF, 0x100, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x3FFF_FFFF, 0x4000_0000, 0x7FFF_FFFF, 0x8000_0000,
        0xFFFF_FFFF, 0x3FFF_FFFF_FFFF_FFFF, 0x4000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, ulong.MaxValue,
    ];

    private readonly Random _random = new(seed);

    /// <summary>A number below <paramref name="count"/>.</summary>
    public int Pick(int count) => _random.Next(count);

    /// <summary>A changed copy of <paramref name="input"/>, no longer than <paramref name="maxLength"/>.</summary>
    public byte[] Mutate(byte[] input, byte[] other, int maxLength)
    {
        List<byte> bytes = [.. input];
        for (int i = _random.Next(1, MaxChanges + 1); i > 0; i--)
            Change(bytes, other);
        if (bytes.Count > maxLength)
            bytes.RemoveRange(maxLength, bytes.Count - maxLength);
        return [.. bytes];
    }

    private void Change(List<byte> bytes, byte[] other)
    {
        int at = _random.Next(bytes.Count + 1);
        int length = _random.Next(1, 1 + _random.Next(1, 64));
        int kind = _random.Next(9);
        if (kind <= 2 && at < bytes.Count)
            bytes[at] = kind == 0 ? (byte)(bytes[at] ^ 1 << _random.Next(8)) : kind == 1 ? (byte)_random.Next(256) : (byte)(bytes[at] + _random.Next(-8, 9));
        else if (kind == 3)
            PutNumber(bytes, at);
        else if (kind == 4)
            bytes.RemoveRange(at, Math.Min(length, bytes.Count - at));
        else if (kind == 5)
            bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)_random.Next(256)));
        else if (kind == 6 && at < bytes.Count)
            bytes.InsertRange(_random.Next(bytes.Count + 1), bytes.GetRange(at, Math.Min(length, bytes.Count - at)));
        else if (kind == 7 && other.Length > 0)
            bytes.InsertRange(at, Piece(other, length));
        else if (kind == 8 && other.Length > 0)
            Overwrite(bytes, at, Piece(other, length));
    }

    private void PutNumber(List<byte> bytes, int at)
    {
        byte[] number = new byte[1 << _random.Next(4)];
        Span<byte> whole = stackalloc byte[sizeof(ulong)];
        ulong value = s_numbers[_random.Next(s_numbers.Length)];
        if (_random.Next(2) == 0)
            BinaryPrimitives.WriteUInt64LittleEndian(whole, value);
        else
            BinaryPrimitives.WriteUInt64BigEndian(whole, value << (64 - 8 * number.Length));
        whole[..number.Length].CopyTo(number);
        Overwrite(bytes, at, number);
    }

    private ArraySegment<byte> Piece(byte[] other, int length)
    {
        int from = _random.Next(other.Length);
        return new ArraySegment<byte>(other, from, Math.Min(length, other.Length - from));
    }

    private static void Overwrite(List<byte> bytes, int at, ArraySegment<byte> piece)
    {
        for (int i = 0; i < piece.Count && at + i < bytes.Count; i++)
            bytes[at + i] = piece[i];
    }
}
