using NSec.Cryptography;

namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// One key of one suite as libsodium works with it, without anything around: every packet passes here twice. Of AES-256-GCM
/// the key is kept expanded, which NSec would do again for each packet, a quarter of the time that a packet takes.
/// The key lies in memory that libsodium guards and clears. One owner, not thread-safe.
/// </summary>
internal sealed unsafe class PacketCipher : IDisposable
{
    private readonly ProtectionSuite _suite;
    private readonly SodiumMemory _memory;
    private readonly int _nonceLength;

    /// <summary>Takes a copy of the raw key.</summary>
    public PacketCipher(ProtectionSuite suite, ReadOnlySpan<byte> key)
    {
        AeadAlgorithm algorithm = suite.Algorithm(); // Makes libsodium ready, too.
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, algorithm.KeySize);
        _suite = suite;
        _nonceLength = algorithm.NonceSize;
        TagLength = algorithm.TagSize;
        if (suite != ProtectionSuite.Aes256Gcm)
        {
            _memory = SodiumMemory.CopyOf(key);
            return;
        }

        _memory = SodiumMemory.Allocate(Sodium.Aes256GcmStateLength());
        fixed (byte* raw = key)
            _ = Sodium.ExpandAes256Gcm(_memory.Address, raw);
    }

    /// <summary>Bytes by which a ciphertext is longer than its plaintext.</summary>
    public int TagLength { get; }

    /// <summary>Seals; <paramref name="plaintext"/> may be the beginning of <paramref name="ciphertext"/>, but overlap it in no other way.</summary>
    public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        Check(nonce, plaintext.Length, ciphertext.Length);
        fixed (byte* n = nonce, ad = header, m = plaintext, c = ciphertext)
        {
            byte* key = _memory.Address;
            _ = _suite switch
            {
                ProtectionSuite.Aes256Gcm => Sodium.SealAes256Gcm(c, null, m, (ulong)plaintext.Length, ad, (ulong)header.Length, null, n, key),
                ProtectionSuite.Aegis128L => Sodium.SealAegis128L(c, null, m, (ulong)plaintext.Length, ad, (ulong)header.Length, null, n, key),
                _ => Sodium.SealChaCha20Poly1305(c, null, m, (ulong)plaintext.Length, ad, (ulong)header.Length, null, n, key),
            };
        }

        GC.KeepAlive(_memory);
    }

    /// <summary>Opens; <paramref name="plaintext"/> may be the beginning of <paramref name="ciphertext"/>. False for what was not sealed with this key.</summary>
    public bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        Check(nonce, plaintext.Length, ciphertext.Length);
        int result;
        fixed (byte* n = nonce, ad = header, m = plaintext, c = ciphertext)
        {
            byte* key = _memory.Address;
            result = _suite switch
            {
                ProtectionSuite.Aes256Gcm => Sodium.OpenAes256Gcm(m, null, null, c, (ulong)ciphertext.Length, ad, (ulong)header.Length, n, key),
                ProtectionSuite.Aegis128L => Sodium.OpenAegis128L(m, null, null, c, (ulong)ciphertext.Length, ad, (ulong)header.Length, n, key),
                _ => Sodium.OpenChaCha20Poly1305(m, null, null, c, (ulong)ciphertext.Length, ad, (ulong)header.Length, n, key),
            };
        }

        GC.KeepAlive(_memory);
        return result == 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    // Behind this nobody looks at lengths any more.
    private void Check(ReadOnlySpan<byte> nonce, int plaintextLength, int ciphertextLength)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, _nonceLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ciphertextLength, plaintextLength + TagLength);
    }
}
