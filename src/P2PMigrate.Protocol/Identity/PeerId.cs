using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using NSec.Cryptography;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// Names a peer: the SHA-256 digest of its public key. In text it is 52 lower-case base32 characters in 13 groups of
/// four, so that two people can compare it aloud.
/// </summary>
/// <remarks>spec: ID-02, ID-03.</remarks>
public readonly record struct PeerId(UInt128 High, UInt128 Low)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 32;

    private const int GroupLength = 4;

    /// <summary>The id of whoever holds the private half of <paramref name="publicKey"/>.</summary>
    public static PeerId Of(ReadOnlySpan<byte> publicKey)
    {
        Span<byte> digest = stackalloc byte[Size];
        HashAlgorithm.Sha256.Hash(publicKey, digest); // spec: ID-02
        return Read(digest);
    }

    /// <summary>Reads the first <see cref="Size"/> bytes of <paramref name="source"/>.</summary>
    public static PeerId Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(source), BinaryPrimitives.ReadUInt128BigEndian(source[16..]));

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], Low);
    }

    /// <summary>Reads the text form; the dashes may be missing.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId peerId)
    {
        bool ok = Base32.TryDecode((text ?? "").Replace("-", "", StringComparison.Ordinal), out byte[] bytes) && bytes.Length == Size;
        peerId = ok ? Read(bytes) : default;
        return ok;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        Write(bytes);
        return string.Join('-', Base32.Encode(bytes).Chunk(GroupLength).Select(group => new string(group))); // spec: ID-03
    }

    /// <summary>The first two groups: enough for a log line, not for trust.</summary>
    public string ToShortString() => ToString()[..(2 * GroupLength + 1)];
}
