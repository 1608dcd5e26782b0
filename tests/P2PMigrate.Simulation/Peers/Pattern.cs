namespace P2PMigrate.Simulation.Peers;

/// <summary>The bytes that a stream carries: any byte can be computed from the stream's key and its offset.</summary>
public static class Pattern
{
    public static byte At(ulong key, ulong offset)
    {
        ulong mixed = (key + offset / 8) * 0x9E3779B97F4A7C15;
        return (byte)((mixed ^ mixed >> 29) >> (int)(offset % 8) * 8);
    }

    public static void Fill(ulong key, ulong offset, Span<byte> bytes)
    {
        foreach (ref byte value in bytes)
            value = At(key, offset++);
    }

    /// <summary>The position of the first byte that is not the pattern's, or -1.</summary>
    public static int FirstDifference(ulong key, ulong offset, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != At(key, offset + (ulong)i))
                return i;
        }

        return -1;
    }
}
