using System.Buffers.Binary;

namespace P2PMigrate.Simulation.Peers;

/// <summary>The bytes that a stream carries: any of them can be computed from the stream's key and the offset.</summary>
public static class Pattern
{
    private const int WordSize = sizeof(ulong);

    /// <summary>Writes the bytes that stand at <paramref name="offset"/>.</summary>
    public static void Fill(ulong key, ulong offset, Span<byte> bytes)
    {
        Span<byte> word = stackalloc byte[WordSize];
        while (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, WordAt(key, offset / WordSize));
            ReadOnlySpan<byte> rest = word[(int)(offset % WordSize)..];
            rest = rest[..Math.Min(rest.Length, bytes.Length)];
            rest.CopyTo(bytes);
            bytes = bytes[rest.Length..];
            offset += (ulong)rest.Length;
        }
    }

    /// <summary>Are these the bytes that stand at <paramref name="offset"/>?</summary>
    public static bool Matches(ulong key, ulong offset, ReadOnlySpan<byte> bytes)
    {
        Span<byte> expected = stackalloc byte[1024];
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, expected.Length);
            Fill(key, offset, expected[..count]);
            if (!bytes[..count].SequenceEqual(expected[..count]))
                return false;
            bytes = bytes[count..];
            offset += (ulong)count;
        }

        return true;
    }

    private static ulong WordAt(ulong key, ulong index)
    {
        ulong mixed = (key * 0xD6E8FEB86659FD93 + index) * 0x9E3779B97F4A7C15;
        return mixed ^ mixed >> 29;
    }
}
