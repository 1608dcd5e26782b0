using System.Buffers;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// Base32 of RFC 4648 in lower case and without padding characters. Each byte string has exactly one text: upper case,
/// other characters, impossible lengths and bits left over that are not zero are refused.
/// </summary>
internal static class Base32
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>The characters that such a text is made of.</summary>
    public static readonly SearchValues<char> Digits = SearchValues.Create(Alphabet);

    /// <summary>The text of <paramref name="bytes"/>.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = new char[(bytes.Length * 8 + 4) / 5];
        uint bits = 0;
        int held = 0, written = 0;
        foreach (byte value in bytes)
        {
            bits = (bits << 8) | value;
            for (held += 8; held >= 5; held -= 5)
            {
                text[written++] = Alphabet[(int)(bits >> (held - 5)) & 31];
            }
        }

        if (held > 0)
        {
            text[written] = Alphabet[(int)(bits << (5 - held)) & 31];
        }

        return new string(text);
    }

    /// <summary>The bytes of <paramref name="text"/>, if it is the text of some bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = new byte[text.Length * 5 / 8];
        uint bits = 0;
        int held = 0, written = 0;
        foreach (char character in text)
        {
            int digit = Alphabet.IndexOf(character, StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            bits = (bits << 5) | (uint)digit;
            held += 5;
            if (held >= 8)
            {
                held -= 8;
                bytes[written++] = (byte)(bits >> held);
            }
        }

        return held < 5 && (bits & ((1u << held) - 1)) == 0;
    }
}
