using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;

namespace P2PMigrate.Migration.Depots;

/// <summary>
/// The key that all of a depot is sealed with. A sealed object is 24 random bytes, then XChaCha20-Poly1305's ciphertext under them with the object's name as associated data: nothing
/// opens under another name. Safe for use from several threads; disposing wipes it.
/// </summary>
// spec: DEP-30
internal sealed class DepotKey : IDisposable
{
    /// <summary>Bytes of a key.</summary>
    public const int Size = 32;

    /// <summary>Bytes that a sealed object has more than its content: the nonce and the tag.</summary>
    // spec: CONST-461
    public const int Overhead = NonceSize + TagSize;

    private const int NonceSize = 24;
    private const int TagSize = 16;

    private static readonly AeadAlgorithm s_algorithm = AeadAlgorithm.XChaCha20Poly1305;

    private readonly Key _key;

    private DepotKey(Key key) => _key = key;

    /// <summary>Takes over a key of <see cref="Size"/> bytes.</summary>
    public static DepotKey Import(ReadOnlySpan<byte> bytes) => new(Key.Import(s_algorithm, bytes, KeyBlobFormat.RawSymmetricKey));

    /// <summary>The object of this name and content.</summary>
    public byte[] Seal(string name, ReadOnlySpan<byte> content)
    {
        byte[] sealedObject = new byte[content.Length + Overhead];
        Span<byte> nonce = sealedObject.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce); // 24 random bytes never repeat, so that two programs with one key need not agree on a count
        s_algorithm.Encrypt(_key, nonce, Encoding.UTF8.GetBytes(name), content, sealedObject.AsSpan(NonceSize));
        return sealedObject;
    }

    /// <summary>The content; false for what was not sealed with this key under this name.</summary>
    public bool TryOpen(string name, ReadOnlySpan<byte> sealedObject, [NotNullWhen(true)] out byte[]? content)
    {
        content = null;
        if (sealedObject.Length < Overhead)
            return false;
        byte[] opened = new byte[sealedObject.Length - Overhead];
        if (s_algorithm.Decrypt(_key, sealedObject[..NonceSize], Encoding.UTF8.GetBytes(name), sealedObject[NonceSize..], opened))
            content = opened;
        return content is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
