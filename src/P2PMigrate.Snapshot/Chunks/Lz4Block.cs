using K4os.Compression.LZ4;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>An LZ4 block that is kept only when it is smaller than what it was made of.</summary>
internal static class Lz4Block
{
    /// <summary>
    /// Writes <paramref name="content"/> into <paramref name="destination"/>, which is at least as long, compressed when
    /// that saves a byte, else as it is. Returns the length written; equal to the content's length means: stored raw.
    /// </summary>
    public static int Encode(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        // spec: SNAP-21
        int length = LZ4Codec.Encode(content, destination[..(content.Length - 1)], LZ4Level.L00_FAST);
        if (length > 0)
            return length;

        content.CopyTo(destination);
        return content.Length;
    }

    /// <summary>Fills <paramref name="content"/> exactly; false when <paramref name="block"/> is not what <see cref="Encode"/> makes of it.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> block, Span<byte> content)
    {
        if (block.Length == content.Length)
        {
            block.CopyTo(content);
            return true;
        }

        return block.Length < content.Length && LZ4Codec.Decode(block, content) == content.Length;
    }
}
