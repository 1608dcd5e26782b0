using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// The text form of a public key, for people to pass on: <c>p2pk1</c>, then base32 of the key and a CRC-32C over it. A peer id is the key's digest: enough to know a peer again, not to seal
/// anything for it.
/// </summary>
/// <remarks>spec: ID-18.</remarks>
public static class KeyText
{
    /// <summary>What every such text starts with.</summary>
    public const string Prefix = "p2pk1";

    private const int ChecksumSize = 4;

    /// <summary>The word for <paramref name="key"/>.</summary>
    public static string Format(PublicIdentity key)
    {
        Span<byte> bytes = stackalloc byte[PublicIdentity.Size + ChecksumSize];
        key.Bytes.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[PublicIdentity.Size..], TicketText.Checksum(key.Bytes));
        return Prefix + Base32.Encode(bytes);
    }

    /// <summary>Reads such a word, with blanks around it ignored; false for one of which anything was changed, removed or added.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out PublicIdentity? key)
    {
        key = null;
        ReadOnlySpan<char> word = text.AsSpan().Trim();
        return word.StartsWith(Prefix, StringComparison.Ordinal)
            && Base32.TryDecode(word[Prefix.Length..], out byte[] bytes)
            && bytes.Length == PublicIdentity.Size + ChecksumSize
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(PublicIdentity.Size)) == TicketText.Checksum(bytes.AsSpan(0, PublicIdentity.Size))
            && PublicIdentity.TryCreate(bytes.AsSpan(0, PublicIdentity.Size), out key);
    }
}
